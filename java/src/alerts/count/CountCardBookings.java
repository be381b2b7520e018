package alerts.count;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
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
 * Finds the card bookings that raise a setting of type TRANSACTION_COUNT; keyed by account and currency.
 *
 * <p>n is the number of distinct bookings with booked_at in (this booked_at - window, this booked_at]. A rule is raised
 * by a booking with n > count, once, and again only after a booking whose n was count or less; such a booking counts also
 * while the rule does not hold. Bookings are looked at in the order of Kafka, which is the same at a replay; where one
 * comes late, it counts for those after it, and its own n is that of its own booked_at. A booking seen before is passed over.
 *
 * <p>A booking is counted if the account has a rule that counts at its time, or had one at most 'reach' before. So what
 * is counted follows from the rules and the bookings alone, and not from when the job was started.
 */
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
    private static final long MINUTE = 60_000;
    private static final long HOUR = 60 * MINUTE;
    private static final long DAY = 24 * HOUR;
    private static final long[] NONE = {};
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

    /** When the account was last looked through for what is no longer needed, and the last booked_at of that. */
    public static final class Trimmed {
        public long at;
        public long upTo = Long.MIN_VALUE;
    }

    /**
     * One card booking.
     *
     * @param seen by entry_id
     * @param times by hour, in pairs: a booked_at, and how many bookings of the hour are at or before it
     * @param raised customer and setting of the rules whose last n was more than their count
     * @param booking entry_id, amount_minor, balance_minor, booked_at, rules_time, and the account's rules that count in
     *     its currency: each as it holds, or as it ended last (several may share a setting_id); valid_to, milliseconds UTC,
     *     is null where it has not ended
     * @param reach milliseconds a counted booking is kept for the windows of those after it: a day, and for those that
     *     come late; an account with a longer window keeps them longer
     * @param kept milliseconds after the last booking, when all is forgotten; more than Kafka keeps bookings
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
        String entryId = booking.getFieldAs("entry_id");
        long bookedAt = booking.<Instant>getFieldAs("booked_at").toEpochMilli();
        long now = booking.<Instant>getFieldAs("rules_time").toEpochMilli();
        Map<String, List<Row>> rules = new LinkedHashMap<>();
        long longest = reach;
        boolean counts = false;
        for (Row rule : booking.<Row[]>getFieldAs("rules")) {
            String customer = rule.getFieldAs("customer_id");
            String name = customer.length() + ":" + customer + rule.getFieldAs("setting_id");
            rules.computeIfAbsent(name, none -> new ArrayList<>()).add(rule);
            longest = Math.max(longest, Math.min(window(rule) + reach - DAY, kept));
            counts |= holds(rule, now, reach);
        }
        Seen before = seen.get(entryId);
        if (!counts || (before != null && before.cameAt >= now - longest)) {
            if (trimmed.at == 0) {
                context.clearState("trimmed"); // Or else it would be written for every account.
            }
            return;
        }
        if (now >= trimmed.at + HOUR) {
            trimmed.at = now;
            trimmed.upTo = Math.max(trimmed.upTo, trim(seen, times, now - longest));
            trim(raised, rules);
            Long watermark = context.timeContext(Long.class).currentWatermark();
            // A backlog is behind the watermark, and a timer in the past would never fire.
            long later = Math.max(now, watermark == null ? now : watermark) + kept + HOUR;
            context.timeContext(Long.class).registerOnTime(FORGET, later);
        }
        if (seen.get(entryId) != null) { // Too long ago, and not trimmed yet.
            forget(List.of(entryId), seen, times);
        }
        seen.put(entryId, new Seen(bookedAt, now));
        long hour = Math.floorDiv(bookedAt, HOUR);
        times.put(hour, with(times.get(hour), bookedAt));

        Map<Long, long[]> read = new HashMap<>();
        for (Map.Entry<String, List<Row>> named : rules.entrySet()) {
            Row more = null;
            boolean known = true;
            for (Row rule : named.getValue()) {
                long from = bookedAt - Math.min(window(rule), longest);
                // What belongs beside a booking that comes very late may be forgotten.
                known &= from >= trimmed.upTo;
                if (more == null && counted(times, read, from, bookedAt) > rule.<Integer>getFieldAs("count")) {
                    more = rule;
                }
            }
            boolean already = raised.get(named.getKey()) != null;
            if (more != null && !already && holds(more, now, 0)) {
                raised.put(named.getKey(), true);
                collect(alert(booking, more));
            } else if (more == null && already && known) {
                raised.remove(named.getKey());
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

    /** Whether a rule that has begun holds at a time, or ended at most so long before. */
    private static boolean holds(Row rule, long now, long before) {
        Long to = rule.getFieldAs("valid_to");
        return to == null || now < to + before;
    }

    private static long window(Row rule) {
        return Math.max(0, MINUTE * rule.<Integer>getFieldAs("window_minutes"));
    }

    /** How many bookings have a booked_at in (from, to]. */
    private static long counted(MapView<Long, long[]> times, Map<Long, long[]> read, long from, long to)
            throws Exception {
        long count = 0;
        // Where from has passed the smallest number there is, it is greater than to.
        for (long hour = Math.floorDiv(from, HOUR); from < to && hour <= Math.floorDiv(to, HOUR); hour++) {
            long[] ofHour = read.get(hour);
            if (ofHour == null) {
                ofHour = times.get(hour);
                read.put(hour, ofHour = ofHour == null ? NONE : ofHour);
            }
            count += upTo(ofHour, to) - upTo(ofHour, from);
        }
        return count;
    }

    /** How many of an hour's bookings are at or before a time. */
    private static long upTo(long[] times, long time) {
        int pairs = place(times, time);
        return pairs == 0 ? 0 : times[2 * pairs - 1];
    }

    /** How many pairs are at or before a time. */
    private static int place(long[] times, long time) {
        int low = 0;
        int high = times.length / 2;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (times[2 * middle] <= time) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** An hour with one booking more. Never in place: a checkpoint may be reading it. */
    private static long[] with(long[] times, long time) {
        long[] old = times == null ? NONE : times;
        int place = place(old, time);
        boolean there = place > 0 && old[2 * place - 2] == time;
        long[] more = Arrays.copyOf(old, there ? old.length : old.length + 2);
        int changed = 2 * place - 1;
        if (!there) {
            System.arraycopy(old, 2 * place, more, 2 * place + 2, old.length - 2 * place);
            more[2 * place] = time;
            more[2 * place + 1] = place == 0 ? 0 : old[2 * place - 1];
            changed = 2 * place + 1;
        }
        for (int each = changed; each < more.length; each += 2) {
            more[each]++;
        }
        return more;
    }

    /** An hour without some bookings: how many, by booked_at. */
    private static long[] without(long[] times, Map<Long, Integer> gone) {
        long[] fewer = new long[times.length];
        int length = 0;
        long before = 0;
        long total = 0;
        for (int each = 0; each < times.length; each += 2) {
            long left = times[each + 1] - before - gone.getOrDefault(times[each], 0);
            before = times[each + 1];
            if (left > 0) {
                total += left;
                fewer[length++] = times[each];
                fewer[length++] = total;
            }
        }
        return Arrays.copyOf(fewer, length);
    }

    /** Forget the bookings that came, and were booked, before a time; returns the last booked_at among them. */
    private static long trim(MapView<String, Seen> seen, MapView<Long, long[]> times, long before) throws Exception {
        List<String> old = new ArrayList<>();
        long last = Long.MIN_VALUE;
        for (Map.Entry<String, Seen> entry : seen.entries()) {
            if (Math.max(entry.getValue().cameAt, entry.getValue().bookedAt) < before) {
                old.add(entry.getKey());
                last = Math.max(last, entry.getValue().bookedAt);
            }
        }
        forget(old, seen, times);
        return last;
    }

    /** Forget what was raised by rules that are no more. */
    private static void trim(MapView<String, Boolean> raised, Map<String, List<Row>> rules) throws Exception {
        List<String> old = new ArrayList<>();
        for (String name : raised.keys()) {
            if (!rules.containsKey(name)) {
                old.add(name);
            }
        }
        for (String name : old) {
            raised.remove(name);
        }
    }

    private static void forget(List<String> entryIds, MapView<String, Seen> seen, MapView<Long, long[]> times)
            throws Exception {
        Map<Long, Map<Long, Integer>> gone = new HashMap<>();
        for (String entryId : entryIds) {
            long bookedAt = seen.get(entryId).bookedAt;
            seen.remove(entryId);
            gone.computeIfAbsent(Math.floorDiv(bookedAt, HOUR), none -> new HashMap<>())
                    .merge(bookedAt, 1, Integer::sum);
        }
        for (Map.Entry<Long, Map<Long, Integer>> hour : gone.entrySet()) {
            long[] left = without(times.get(hour.getKey()), hour.getValue());
            if (left.length == 0) {
                times.remove(hour.getKey());
            } else {
                times.put(hour.getKey(), left);
            }
        }
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
