package alerts.temporal;

import alerts.count.SlidingCounts;
import alerts.count.SlidingCounts.Rule;
import alerts.count.SlidingCounts.Seen;
import alerts.count.SlidingCounts.Store;
import alerts.count.SlidingCounts.Trimmed;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.TimerService;
import org.apache.flink.table.data.RowData;

/** {@link SlidingCounts} of the accounts of an operator; each state has the account's currencies one beside the other. */
final class AccountCounts implements CardCounts {
    private static final long serialVersionUID = 1;
    private static final long HOUR = 3_600_000;
    /** Letters of a currency, which lead a key (ISO 4217). */
    private static final int CURRENCY = 3;

    private final int currency;
    private final int entryId;
    private final int bookedAt;
    private final long reach;
    private final long kept;
    private transient MapState<String, Seen> seen;
    private transient MapState<String, long[]> times;
    private transient MapState<String, Boolean> raised;
    private transient MapState<String, Trimmed> trimmed;

    /**
     * @param currency the places of three columns in a booking
     * @param reach milliseconds a booking is kept for the windows of those after it ({@link SlidingCounts#count})
     * @param kept milliseconds after the last booking, when all is forgotten
     */
    AccountCounts(int currency, int entryId, int bookedAt, long reach, long kept) {
        this.currency = currency;
        this.entryId = entryId;
        this.bookedAt = bookedAt;
        this.reach = reach;
        this.kept = kept;
    }

    @Override
    public void open(RuntimeContext context) {
        seen = state(context, "counted-bookings", Types.POJO(Seen.class));
        times = state(context, "counted-times", PrimitiveArrayTypeInfo.LONG_PRIMITIVE_ARRAY_TYPE_INFO);
        raised = state(context, "raised-counts", Types.BOOLEAN);
        trimmed = state(context, "trimmed-counts", Types.POJO(Trimmed.class));
    }

    private static <T> MapState<String, T> state(RuntimeContext context, String name, TypeInformation<T> type) {
        return context.getMapState(new MapStateDescriptor<>(name, Types.STRING, type));
    }

    @Override
    public List<Counted> raised(RowData booking, long time, List<Counted> settings, TimerService timers) throws Exception {
        String of = booking.getString(currency).toString();
        List<Rule<Counted>> rules = new ArrayList<>();
        for (Counted each : settings) {
            RowData setting = each.setting();
            String name = Rule.name(each.customer().getString(0).toString(), setting.getString(Rows.SETTING_ID).toString());
            rules.add(new Rule<>(name, setting.getInt(Rows.COUNT), setting.getInt(Rows.WINDOW_MINUTES),
                    each.end() == Long.MAX_VALUE ? null : each.end(), each));
        }
        Trimmed before = trimmed.get(of);
        Trimmed now = new Trimmed();
        if (before != null) {
            now.at = before.at;
            now.upTo = before.upTo;
        }
        List<Counted> found = new SlidingCounts(
                        store(seen, of, Function.identity()), store(times, of, Long::valueOf),
                        store(raised, of, Function.identity()))
                .count(booking.getString(entryId).toString(), booking.getTimestamp(bookedAt, 3).getMillisecond(), time,
                        rules, now, reach, kept);
        if (now.at != (before == null ? 0 : before.at)) {
            trimmed.put(of, now);
            if (before == null) {
                timers.registerEventTimeTimer(hourAfter(Math.max(time, timers.currentWatermark()) + kept));
            }
        }
        return found;
    }

    @Override
    public void forget(long timer, TimerService timers) throws Exception {
        List<String> old = new ArrayList<>();
        long next = Long.MAX_VALUE;
        for (Map.Entry<String, Trimmed> each : trimmed.entries()) {
            long end = hourAfter(each.getValue().at + kept);
            if (end <= timer) {
                old.add(each.getKey());
            } else {
                next = Math.min(next, end);
            }
        }
        for (String of : old) {
            trimmed.remove(of);
            clear(seen, of);
            clear(times, of);
            clear(raised, of);
        }
        if (next != Long.MAX_VALUE) {
            timers.registerEventTimeTimer(next);
        }
    }

    private static long hourAfter(long time) {
        return time / HOUR * HOUR + HOUR;
    }

    private static void clear(MapState<String, ?> state, String currency) throws Exception {
        List<String> keys = new ArrayList<>();
        for (String key : state.keys()) {
            if (key.startsWith(currency)) {
                keys.add(key);
            }
        }
        for (String key : keys) {
            state.remove(key);
        }
    }

    /** The entries of one currency. */
    private static <K, V> Store<K, V> store(MapState<String, V> state, String currency, Function<String, K> key) {
        return new Store<>() {
            @Override
            public V get(K key) throws Exception {
                return state.get(currency + key);
            }

            @Override
            public void put(K key, V value) throws Exception {
                state.put(currency + key, value);
            }

            @Override
            public void remove(K key) throws Exception {
                state.remove(currency + key);
            }

            @Override
            public Iterable<Map.Entry<K, V>> entries() throws Exception {
                List<Map.Entry<K, V>> own = new ArrayList<>();
                for (Map.Entry<String, V> each : state.entries()) {
                    if (each.getKey().startsWith(currency)) {
                        own.add(Map.entry(key.apply(each.getKey().substring(CURRENCY)), each.getValue()));
                    }
                }
                return own;
            }
        };
    }
}
