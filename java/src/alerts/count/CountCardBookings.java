package alerts.count;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
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

/**
 * Finds the card bookings that raise a rule of type TRANSACTION_COUNT; keyed by account and currency.
 *
 * <p>n is the number of distinct bookings with booked_at in (this booked_at - window, this booked_at]. A rule is raised
 * by a booking with n > count, once, and again only after a booking whose n was count or less. Bookings are looked at in
 * the order of Kafka, which is the same at a replay; where one comes late, it counts for those after it, and its own n is
 * that of its own booked_at. A booking seen before is passed over.
 *
 * <p>A booking is counted if the account has a rule that counts at its time, or had one at most 'reach' before. So what
 * is counted follows from the rules and the bookings alone, and not from when the job was started.
 */
@FunctionHint(
        output =
                @DataTypeHint(
                        "ROW<entry_id STRING NOT NULL, amount_minor BIGINT NOT NULL, balance_minor BIGINT NOT NULL, "
                                + "booked_at TIMESTAMP_LTZ(3) NOT NULL, customer_id STRING NOT NULL, "
                                + "setting_id STRING NOT NULL, `count` INT NOT NULL, window_minutes INT NOT NULL, "
                                + "`language` STRING NOT NULL, channels ARRAY<STRING NOT NULL> NOT NULL, "
                                + "address_channels ARRAY<STRING NOT NULL> NOT NULL, "
                                + "addresses ARRAY<STRING NOT NULL> NOT NULL>"))
public final class CountCardBookings extends ProcessTableFunction<Row> {
    private static final long MINUTE = 60_000;
    private static final long HOUR = 60 * MINUTE;
    private static final String FORGET = "forget";
    private static final String[] OF_BOOKING = {"entry_id", "amount_minor", "balance_minor", "booked_at"};
    private static final String[] OF_RULE = {
        "customer_id", "setting_id", "count", "window_minutes", "language", "channels", "address_channels", "addresses"
    };

    /** A counted booking: when it was booked, and the rules_time at which it came; milliseconds UTC. */
    public static final class Seen {
        public long bookedAt;
        public long cameAt;

        /** For Flink, which fills the fields. */
        public Seen() {}

        Seen(long bookedAt, long cameAt) {
            this.bookedAt = bookedAt;
            this.cameAt = cameAt;
        }
    }

    /** When the account was last looked through for what is no longer needed. */
    public static final class Trimmed {
        public long at;
    }

    /**
     * One card booking.
     *
     * @param seen by entry_id
     * @param times by hour: the booked_at of each counted booking, in order. An account with a hundred thousand bookings a
     *     day reads and writes an hour of them, not all.
     * @param raised customer and setting of the rules whose last n was more than their count
     * @param booking entry_id, amount_minor, balance_minor, booked_at, currency, rules_time, and the account's rules
     * @param reach milliseconds a counted booking is kept for the windows of those after it
     * @param kept milliseconds after the last booking, when all is forgotten; more than Kafka keeps bookings
     */
    public void eval(
            Context context,
            @StateHint(name = "seen") MapView<String, Seen> seen,
            @StateHint(name = "times") MapView<Long, long[]> times,
            @StateHint(name = "raised") MapView<String, Boolean> raised,
            @StateHint(name = "trimmed") Trimmed trimmed,
            @ArgumentHint(name = "booking", value = ArgumentTrait.SET_SEMANTIC_TABLE) Row booking,
            @ArgumentHint(name = "reach") Long reach,
            @ArgumentHint(name = "kept") Long kept)
            throws Exception {
        String entryId = booking.getFieldAs("entry_id");
        long bookedAt = booking.<Instant>getFieldAs("booked_at").toEpochMilli();
        long now = booking.<Instant>getFieldAs("rules_time").toEpochMilli();
        List<Row> rules = counting(booking, now - reach);
        Seen before = seen.get(entryId);
        if (rules.isEmpty() || (before != null && before.cameAt >= now - reach)) {
            return;
        }
        if (now >= trimmed.at + HOUR) {
            trimmed.at = now;
            trim(seen, times, now - reach);
            Long watermark = context.timeContext(Long.class).currentWatermark();
            // A backlog is behind the watermark, and a timer in the past would never fire.
            long later = Math.max(now, watermark == null ? now : watermark) + kept + HOUR;
            context.timeContext(Long.class).registerOnTime(FORGET, later);
        }
        if (before != null) {
            forget(entryId, seen, times);
        }
        seen.put(entryId, new Seen(bookedAt, now));
        long hour = Math.floorDiv(bookedAt, HOUR);
        times.put(hour, with(times.get(hour), bookedAt));

        for (Row rule : rules) {
            if (!holds(rule, now, 0)) {
                continue;
            }
            String customer = rule.getFieldAs("customer_id");
            String name = customer.length() + ":" + customer + rule.getFieldAs("setting_id");
            // A longer window than any booking is kept for says the same, and must not take longer.
            long window = Math.min(MINUTE * rule.<Integer>getFieldAs("window_minutes"), reach);
            long from = Math.max(bookedAt, Long.MIN_VALUE + window) - window;
            boolean more = counted(times, from, bookedAt) > rule.<Integer>getFieldAs("count");
            boolean already = raised.get(name) != null;
            if (more && !already) {
                raised.put(name, true);
                collect(alert(booking, rule));
            } else if (!more && already) {
                raised.remove(name);
            }
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

    /** The rules of this type and currency that hold at or after a time, up to the booking's. */
    private static List<Row> counting(Row booking, long since) {
        String currency = booking.getFieldAs("currency");
        long now = booking.<Instant>getFieldAs("rules_time").toEpochMilli();
        List<Row> counting = new ArrayList<>();
        for (Row rule : booking.<Row[]>getFieldAs("rules")) {
            if ("TRANSACTION_COUNT".equals(rule.getField("alert_type"))
                    && currency.equals(rule.getField("currency"))
                    && holds(rule, now, now - since)) {
                counting.add(rule);
            }
        }
        return counting;
    }

    /** Whether a rule holds at a time, or ended at most so long before. */
    private static boolean holds(Row rule, long now, long before) {
        Instant to = rule.getFieldAs("valid_to");
        return rule.<Instant>getFieldAs("valid_from").toEpochMilli() <= now
                && (to == null || now < to.toEpochMilli() + before);
    }

    /** How many bookings have a booked_at in (from, to]. */
    private static long counted(MapView<Long, long[]> times, long from, long to) throws Exception {
        long count = 0;
        for (long hour = Math.floorDiv(from, HOUR); hour <= Math.floorDiv(to, HOUR); hour++) {
            long[] ofHour = times.get(hour);
            if (ofHour != null) {
                count += upTo(ofHour, to) - upTo(ofHour, from);
            }
        }
        return count;
    }

    /** How many of the times, which are in order, are at or before a time. */
    private static int upTo(long[] times, long time) {
        int low = 0;
        int high = times.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (times[middle] <= time) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private static long[] with(long[] times, long time) {
        if (times == null) {
            return new long[] {time};
        }
        // Never in place: a checkpoint may be reading it.
        int place = upTo(times, time);
        long[] more = Arrays.copyOf(times, times.length + 1);
        System.arraycopy(times, place, more, place + 1, times.length - place);
        more[place] = time;
        return more;
    }

    /** Forget the bookings that came before a time. */
    private static void trim(MapView<String, Seen> seen, MapView<Long, long[]> times, long before) throws Exception {
        List<String> old = new ArrayList<>();
        for (Map.Entry<String, Seen> entry : seen.entries()) {
            if (entry.getValue().cameAt < before) {
                old.add(entry.getKey());
            }
        }
        for (String entryId : old) {
            forget(entryId, seen, times);
        }
    }

    private static void forget(String entryId, MapView<String, Seen> seen, MapView<Long, long[]> times)
            throws Exception {
        Seen booking = seen.get(entryId);
        if (booking == null) {
            return;
        }
        seen.remove(entryId);
        long hour = Math.floorDiv(booking.bookedAt, HOUR);
        long[] left = without(times.get(hour), booking.bookedAt);
        if (left.length == 0) {
            times.remove(hour);
        } else {
            times.put(hour, left);
        }
    }

    private static long[] without(long[] times, long time) {
        int place = upTo(times, time) - 1;
        long[] fewer = new long[times.length - 1];
        System.arraycopy(times, 0, fewer, 0, place);
        System.arraycopy(times, place + 1, fewer, place, fewer.length - place);
        return fewer;
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
