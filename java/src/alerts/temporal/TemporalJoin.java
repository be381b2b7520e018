package alerts.temporal;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.metrics.Counter;
import org.apache.flink.streaming.api.functions.co.KeyedCoProcessFunction;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.utils.JoinedRowData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;

/**
 * The temporal join of bookings with authorizations and settings; keyed by account. A booking meets those that held at its
 * rules_time, of the customers who might see its account then: at once where all changes up to that time have been read,
 * which the watermark says, else as soon as they have. Older versions are kept for bookings that come late or again.
 *
 * <p>It gives a booking beside each setting about amounts in its currency, and beside each that counts and is raised by it
 * ({@link CardCounts}); whether one about amounts is raised is decided in SQL (sql/alerting/raised_settings.sql). Behind them
 * comes the booking without a setting.
 */
final class TemporalJoin extends KeyedCoProcessFunction<String, RowData, RowData, RowData> {
    private static final long serialVersionUID = 1;
    private static final long HOUR = 3_600_000;
    /** The name of who may see the account; no customer has it. */
    private static final String ACCOUNT = "";
    /** The columns of the setting in the row that ends a booking. */
    private static final GenericRowData NOTHING = new GenericRowData(Rows.SETTING_FIELDS);

    /** Places in a booking: its currency, whether it can be counted, its rules_time. */
    record Fields(int currency, int countable, int time) implements Serializable {}

    private final RowType booking;
    private final Fields at;
    private final long retention;
    private final long reach;
    private final CardCounts cardCounts;
    /** {@link Rows#HELD} of the account and of each customer: in one state, which is found once for a booking. */
    private transient Versions held;
    private transient MapState<String, Boolean> counting;
    private transient ValueState<Boolean> counts;
    private transient ListState<RowData> waiting;
    /** What is given, the same objects each time: {@link Rows#candidate}. */
    private transient JoinedRowData candidate;
    private transient JoinedRowData columns;
    private transient GenericRowData whole;
    private transient Counter waited;
    private transient Counter late;

    /**
     * @param retention milliseconds for which bookings may come late or again
     * @param reach milliseconds after its end for which a setting that counts is told of
     * @param cardCounts finds the settings that a card booking raises by its number
     */
    TemporalJoin(RowType booking, Fields at, long retention, long reach, CardCounts cardCounts) {
        this.booking = booking;
        this.at = at;
        this.retention = retention;
        this.reach = reach;
        this.cardCounts = cardCounts;
    }

    @Override
    public void open(OpenContext context) {
        held = new Versions(getRuntimeContext(), "held", Rows.HELD);
        counting = getRuntimeContext().getMapState(new MapStateDescriptor<>("counting", Types.STRING, Types.BOOLEAN));
        counts = getRuntimeContext().getState(new ValueStateDescriptor<>("counts", Types.BOOLEAN));
        waiting = getRuntimeContext().getListState(new ListStateDescriptor<>("waiting", Rows.info(booking)));
        cardCounts.open(getRuntimeContext());
        candidate = new JoinedRowData();
        columns = new JoinedRowData();
        whole = new GenericRowData(4);
        waited = getRuntimeContext().getMetricGroup().counter("account_alerts_alerting_waited_bookings_total");
        late = getRuntimeContext().getMetricGroup().counter("account_alerts_alerting_late_changes_total");
    }

    @Override
    public void processElement1(RowData booking, Context context, Collector<RowData> out) throws Exception {
        long time = time(booking);
        if (time <= context.timerService().currentWatermark()) {
            join(booking, time, context, out);
        } else {
            waiting.add(booking);
            context.timerService().registerEventTimeTimer(time);
            waited.inc();
        }
    }

    @Override
    public void processElement2(RowData change, Context context, Collector<RowData> out) throws Exception {
        long since = change.getLong(1);
        if (since <= context.timerService().currentWatermark()) {
            late.inc();
        }
        long ended;
        if (change.isNullAt(2)) {
            RowData authorized = change.isNullAt(4) ? null : change.getRow(4, 1);
            ended = held.put(ACCOUNT, since, authorized == null ? null : GenericRowData.of(authorized.getArray(0), null));
        } else {
            String customer = change.getString(2).toString();
            RowData asked = change.isNullAt(3) ? null : change.getRow(3, Rows.ACCOUNT_SETTINGS.getFieldCount());
            ended = held.put(customer, since, asked == null ? null : GenericRowData.of(null, asked));
            if (asked != null && asked.getArray(Rows.COUNTS).size() > 0 && !counting.contains(customer)) {
                counting.put(customer, true);
                counts.update(true);
            }
        }
        if (ended != Versions.NOTHING_ENDED) {
            // Once an hour is often enough to forget.
            context.timerService().registerEventTimeTimer((ended + retention + reach) / HOUR * HOUR + HOUR);
        }
    }

    @Override
    public void onTimer(long timer, OnTimerContext context, Collector<RowData> out) throws Exception {
        long watermark = context.timerService().currentWatermark();
        List<RowData> left = new ArrayList<>();
        for (RowData booking : waiting.get()) {
            long time = time(booking);
            if (time <= watermark) {
                join(booking, time, context, out);
                if (time > timer && time % HOUR != 0) {
                    // Or else each of them would read all that wait.
                    context.timerService().deleteEventTimeTimer(time);
                }
            } else {
                left.add(booking);
            }
        }
        waiting.update(left);
        // Where the watermark is without end, the changes have ended, and bookings may still come.
        if (timer % HOUR == 0 && watermark < Long.MAX_VALUE - 1) {
            sweep(timer - retention - reach);
            cardCounts.forget(timer, context.timerService());
        }
    }

    private void join(RowData booking, long time, Context context, Collector<RowData> out) throws Exception {
        boolean any = false;
        if (booking.getBoolean(at.countable) && counts.value() != null) {
            List<CardCounts.Counted> counting = counting(booking, time);
            if (!counting.isEmpty()) {
                for (CardCounts.Counted each : cardCounts.raised(booking, time, counting, context.timerService())) {
                    out.collect(candidate(booking, each.customer(), each.setting()));
                    any = true;
                }
            }
        }
        RowData authorized = held.asOf(ACCOUNT, time);
        if (authorized != null) {
            any |= propose(booking, time, authorized.getArray(0), out);
        }
        if (any) {
            out.collect(candidate.replace(columns.replace(booking, NOTHING), whole(null, null, null)));
        }
    }

    private RowData candidate(RowData booking, RowData customer, RowData setting) {
        return candidate.replace(columns.replace(booking, setting), whole(booking, customer, setting));
    }

    private RowData whole(RowData booking, RowData customer, RowData setting) {
        whole.setField(0, booking);
        whole.setField(1, customer);
        whole.setField(2, setting);
        whole.setField(3, setting == null);
        return whole;
    }

    /** Gives the booking beside the settings about amounts in its currency; returns whether there were any. */
    private boolean propose(RowData booking, long time, ArrayData customers, Collector<RowData> out) throws Exception {
        boolean any = false;
        StringData currency = booking.getString(at.currency);
        for (int each = 0; each < customers.size(); each++) {
            StringData customer = customers.getString(each);
            RowData asked = asked(held.asOf(customer.toString(), time));
            if (asked == null) {
                continue;
            }
            ArrayData amounts = asked.getArray(Rows.AMOUNTS);
            for (int place = 0; place < amounts.size(); place++) {
                RowData ofCurrency = amounts.getRow(place, Rows.OF_CURRENCY_FIELDS);
                if (!ofCurrency.getString(0).equals(currency)) {
                    continue;
                }
                RowData who = who(customer, asked);
                ArrayData settings = ofCurrency.getArray(1);
                for (int setting = 0; setting < settings.size(); setting++) {
                    out.collect(candidate(booking, who, settings.getRow(setting, Rows.SETTING_FIELDS)));
                    any = true;
                }
                break;
            }
        }
        return any;
    }

    private static RowData who(StringData customer, RowData asked) {
        return GenericRowData.of(customer, asked.getString(Rows.LANGUAGE), asked.getArray(Rows.ADDRESS_CHANNELS),
                asked.getArray(Rows.ADDRESSES));
    }

    /** The settings that count in the booking's currency: each as it holds, or else as it ended last. */
    private List<CardCounts.Counted> counting(RowData booking, long time) throws Exception {
        List<CardCounts.Counted> rules = new ArrayList<>();
        List<Versions.Version> authorized = held.between(ACCOUNT, time - reach, time);
        Map<Versions.Version, Set<StringData>> customers = new HashMap<>();
        for (String customer : counting.keys()) {
            Set<String> known = new HashSet<>();
            for (Versions.Version version : held.between(customer, time - reach, time)) {
                RowData asked = asked(version.value);
                Versions.Version allowed = asked == null ? null : allowing(customer, version, authorized, customers);
                if (allowed == null) {
                    continue;
                }
                long end = Math.min(version.until, allowed.until);
                ArrayData all = asked.getArray(Rows.COUNTS);
                Set<String> named = new HashSet<>();
                for (int each = 0; each < all.size(); each++) {
                    RowData setting = all.getRow(each, Rows.SETTING_FIELDS);
                    if (setting.getString(Rows.SETTING_CURRENCY).equals(booking.getString(at.currency))) {
                        String id = setting.getString(Rows.SETTING_ID).toString();
                        named.add(id);
                        if (!known.contains(id)) {
                            rules.add(new CardCounts.Counted(who(StringData.fromString(customer), asked), setting, end));
                        }
                    }
                }
                known.addAll(named);
            }
        }
        return rules;
    }

    /** The last of the authorizations during a version of settings that let the customer see the account. */
    private static Versions.Version allowing(String customer, Versions.Version asked,
            List<Versions.Version> authorized, Map<Versions.Version, Set<StringData>> customers) {
        StringData id = StringData.fromString(customer);
        for (Versions.Version each : authorized) {
            if (each.value != null && each.since < asked.until && asked.since < each.until
                    && customers.computeIfAbsent(each, TemporalJoin::customers).contains(id)) {
                return each;
            }
        }
        return null;
    }

    private static Set<StringData> customers(Versions.Version authorized) {
        ArrayData ids = authorized.value.getArray(0);
        Set<StringData> customers = new HashSet<>();
        for (int place = 0; place < ids.size(); place++) {
            customers.add(ids.getString(place));
        }
        return customers;
    }

    private void sweep(long before) throws Exception {
        held.sweep(before);
        if (counts.value() == null) {
            return;
        }
        List<String> done = new ArrayList<>();
        boolean left = false;
        for (String customer : counting.keys()) {
            boolean some = false;
            for (Versions.Version version : held.between(customer, before, Long.MAX_VALUE)) {
                RowData asked = asked(version.value);
                some |= asked != null && asked.getArray(Rows.COUNTS).size() > 0;
            }
            left |= some;
            if (!some) {
                done.add(customer);
            }
        }
        for (String customer : done) {
            counting.remove(customer);
        }
        if (!left) {
            counts.clear();
        }
    }

    /** What a customer asked for; null where that is nothing, or the name is not a customer's. */
    private static RowData asked(RowData held) {
        return held == null || held.isNullAt(1) ? null : held.getRow(1, Rows.ACCOUNT_SETTINGS.getFieldCount());
    }

    private long time(RowData booking) {
        return booking.getTimestamp(at.time, 3).getMillisecond();
    }
}
