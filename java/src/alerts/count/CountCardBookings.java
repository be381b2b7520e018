package alerts.count;

import alerts.count.SlidingCounts.Rule;
import alerts.count.SlidingCounts.Seen;
import alerts.count.SlidingCounts.Store;
import alerts.count.SlidingCounts.Trimmed;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.annotation.ArgumentHint;
import org.apache.flink.table.annotation.ArgumentTrait;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.annotation.StateHint;
import org.apache.flink.table.api.dataview.MapView;
import org.apache.flink.table.functions.ProcessTableFunction;
import org.apache.flink.types.Row;

/** {@link SlidingCounts} for SQL (sql/reference/); keyed by account and currency. */
@FunctionHint(
        output =
                @DataTypeHint(
                        "ROW<entry_id STRING NOT NULL, amount_minor BIGINT NOT NULL, balance_minor BIGINT, "
                                + "booked_at TIMESTAMP_LTZ(3) NOT NULL, "
                                + "rules_time TIMESTAMP_LTZ(3) NOT NULL, customer_id STRING NOT NULL, "
                                + "setting_id STRING NOT NULL, `count` INT NOT NULL, window_minutes INT NOT NULL, "
                                + "`language` STRING NOT NULL, channels ARRAY<STRING NOT NULL> NOT NULL, "
                                + "address_channels ARRAY<STRING NOT NULL> NOT NULL, "
                                + "addresses ARRAY<STRING NOT NULL> NOT NULL>"))
public final class CountCardBookings extends ProcessTableFunction<Row> {
    private static final long HOUR = 3_600_000;
    private static final String FORGET = "forget";
    /**
     * No time to live. Where none is said Flink 2.3 takes 292 million years, and at each access looks through all that
     * five other accounts have, for what is older.
     */
    private static final String NEVER = "0 s";
    private static final String[] OF_BOOKING = {
        "entry_id", "amount_minor", "balance_minor", "booked_at", "rules_time"
    };
    private static final String[] OF_RULE = {
        "customer_id", "setting_id", "count", "window_minutes", "language", "channels", "address_channels", "addresses"
    };

    /**
     * One card booking.
     *
     * @param seen as the others, of {@link SlidingCounts}
     * @param booking entry_id, amount_minor, balance_minor, booked_at, rules_time, and the account's rules that count in
     *     its currency: each as it holds, or as it ended last (several may share a setting_id); valid_to, milliseconds UTC,
     *     is null where it has not ended
     * @param reach of {@link SlidingCounts#count}
     * @param kept milliseconds after the last booking, when all is forgotten
     */
    public void eval(
            Context context,
            @StateHint(name = "seen", ttl = NEVER) MapView<String, Seen> seen,
            @StateHint(name = "times", ttl = NEVER) MapView<Long, long[]> times,
            @StateHint(name = "raised", ttl = NEVER) MapView<String, Boolean> raised,
            @StateHint(name = "trimmed", ttl = NEVER) Trimmed trimmed,
            @ArgumentHint(name = "booking", value = ArgumentTrait.SET_SEMANTIC_TABLE) Row booking,
            @ArgumentHint(name = "reach") Long reach,
            @ArgumentHint(name = "kept") Long kept)
            throws Exception {
        long now = booking.<Instant>getFieldAs("rules_time").toEpochMilli();
        List<Rule<Row>> rules = new ArrayList<>();
        for (Row rule : booking.<Row[]>getFieldAs("rules")) {
            String name = Rule.name(rule.getFieldAs("customer_id"), rule.getFieldAs("setting_id"));
            rules.add(new Rule<>(
                    name, rule.getFieldAs("count"), rule.getFieldAs("window_minutes"), rule.getFieldAs("valid_to"), rule));
        }
        long before = trimmed.at;
        List<Row> raisedRules = new SlidingCounts(store(seen), store(times), store(raised)).count(
                booking.getFieldAs("entry_id"), booking.<Instant>getFieldAs("booked_at").toEpochMilli(), now, rules,
                trimmed, reach, kept);
        raisedRules.forEach(rule -> collect(alert(booking, rule)));
        if (trimmed.at == 0) {
            context.clearState("trimmed"); // Or else it would be written for every account.
        } else if (trimmed.at != before) {
            Long watermark = context.timeContext(Long.class).currentWatermark();
            // A backlog is behind the watermark, and a timer in the past would never fire.
            long later = Math.max(now, watermark == null ? now : watermark) + kept + HOUR;
            context.timeContext(Long.class).registerOnTime(FORGET, later);
        }
    }

    /** The account has had no booking for so long that none can be in a window with the next. */
    public void onTimer(
            OnTimerContext context,
            MapView<String, Seen> seen,
            MapView<Long, long[]> times,
            MapView<String, Boolean> raised,
            Trimmed trimmed) {
        context.clearAllState();
    }

    private static <K, V> Store<K, V> store(MapView<K, V> view) {
        return new Store<>() {
            @Override
            public V get(K key) throws Exception {
                return view.get(key);
            }

            @Override
            public void put(K key, V value) throws Exception {
                view.put(key, value);
            }

            @Override
            public void remove(K key) throws Exception {
                view.remove(key);
            }

            @Override
            public Iterable<Map.Entry<K, V>> entries() throws Exception {
                return view.entries();
            }
        };
    }

    private static Row alert(Row booking, Row rule) {
        Row alert = new Row(OF_BOOKING.length + OF_RULE.length);
        int place = 0;
        for (String name : OF_BOOKING) {
            alert.setField(place++, booking.getField(name));
        }
        for (String name : OF_RULE) {
            alert.setField(place++, rule.getField(name));
        }
        return alert;
    }
}
