package alerts.count;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Counts the card bookings of one account in one currency, in a sliding window of each rule's own length, and finds those
 * that raise a setting of type TRANSACTION_COUNT.
 *
 * <p>n is the number of distinct bookings with booked_at in (this booked_at - window, this booked_at]. A rule is raised
 * by a booking with n > count, once, and again only after a booking whose n was count or less; such a booking counts also
 * while the rule does not hold. Bookings are looked at in the order of Kafka, which is the same at a replay; where one
 * comes late, it counts for those after it, and its own n is that of its own booked_at. A booking seen before is passed over.
 *
 * <p>A booking is counted if the account has a rule that counts at its time, or had one at most 'reach' before. So what
 * is counted follows from the rules and the bookings alone, and not from when the job was started.
 */
public final class SlidingCounts {
    private static final long MINUTE = 60_000;
    private static final long HOUR = 60 * MINUTE;
    private static final long DAY = 24 * HOUR;
    private static final long[] NONE = {};

    /** State of one account and currency. */
    public interface Store<K, V> {
        V get(K key) throws Exception;

        void put(K key, V value) throws Exception;

        void remove(K key) throws Exception;

        Iterable<Map.Entry<K, V>> entries() throws Exception;
    }

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
     * A setting that counts, as it holds or as it ended last.
     *
     * @param name of the customer and their setting; several rules may share it
     * @param validTo milliseconds UTC; null where it has not ended
     * @param row what the caller knows of it
     */
    public record Rule<T>(String name, int count, int windowMinutes, Long validTo, T row) {
        /** The name of a customer's setting: of any two customers and settings another one. */
        public static String name(String customer, String setting) {
            return customer.length() + ":" + customer + setting;
        }

        /** Whether it holds at a time, or ended at most so long before. */
        private boolean holds(long now, long before) {
            return validTo == null || now < validTo + before;
        }

        private long window() {
            return Math.max(0, MINUTE * windowMinutes);
        }
    }

    private final Store<String, Seen> seen;
    private final Store<Long, long[]> times;
    private final Store<String, Boolean> raised;

    /**
     * @param seen by entry_id
     * @param times by hour, in pairs: a booked_at, and how many bookings of the hour are at or before it
     * @param raised the names of the rules whose last n was more than their count
     */
    public SlidingCounts(Store<String, Seen> seen, Store<Long, long[]> times, Store<String, Boolean> raised) {
        this.seen = seen;
        this.times = times;
        this.raised = raised;
    }

    /**
     * Counts one card booking, and returns the rules that it raises.
     *
     * @param bookedAt milliseconds UTC
     * @param now its rules_time, milliseconds UTC
     * @param rules the account's rules that count in its currency
     * @param trimmed is changed where the account was looked through, which is once an hour at most
     * @param reach milliseconds a counted booking is kept for the windows of those after it: a day, and for those that
     *     come late; an account with a longer window keeps them longer
     * @param kept milliseconds after which a booking is not kept for any window; more than Kafka keeps bookings
     */
    public <T> List<T> count(
            String entryId, long bookedAt, long now, List<Rule<T>> rules, Trimmed trimmed, long reach, long kept)
            throws Exception {
        Map<String, List<Rule<T>>> named = new LinkedHashMap<>();
        long longest = reach;
        boolean counts = false;
        for (Rule<T> rule : rules) {
            named.computeIfAbsent(rule.name, none -> new ArrayList<>()).add(rule);
            longest = Math.max(longest, Math.min(rule.window() + reach - DAY, kept));
            counts |= rule.holds(now, reach);
        }
        Seen before = seen.get(entryId);
        if (!counts || (before != null && before.cameAt >= now - longest)) {
            return List.of();
        }
        if (now >= trimmed.at + HOUR) {
            trimmed.at = now;
            trimmed.upTo = Math.max(trimmed.upTo, trim(seen, times, now - longest));
            trim(raised, named.keySet());
        }
        if (seen.get(entryId) != null) { // Too long ago, and not trimmed yet.
            forget(List.of(entryId), seen, times);
        }
        seen.put(entryId, new Seen(bookedAt, now));
        long hour = Math.floorDiv(bookedAt, HOUR);
        times.put(hour, with(times.get(hour), bookedAt));

        List<T> found = new ArrayList<>();
        Map<Long, long[]> read = new HashMap<>();
        for (Map.Entry<String, List<Rule<T>>> each : named.entrySet()) {
            Rule<T> more = null;
            boolean known = true;
            for (Rule<T> rule : each.getValue()) {
                long from = bookedAt - Math.min(rule.window(), longest);
                // What belongs beside a booking that comes very late may be forgotten.
                known &= from >= trimmed.upTo;
                if (more == null && counted(times, read, from, bookedAt) > rule.count) {
                    more = rule;
                }
            }
            boolean already = raised.get(each.getKey()) != null;
            if (more != null && !already && more.holds(now, 0)) {
                raised.put(each.getKey(), true);
                found.add(more.row);
            } else if (more == null && already && known) {
                raised.remove(each.getKey());
            }
        }
        return found;
    }

    /** How many bookings have a booked_at in (from, to]. */
    private static long counted(Store<Long, long[]> times, Map<Long, long[]> read, long from, long to)
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
    private static long trim(Store<String, Seen> seen, Store<Long, long[]> times, long before) throws Exception {
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
    private static void trim(Store<String, Boolean> raised, Set<String> rules) throws Exception {
        List<String> old = new ArrayList<>();
        for (Map.Entry<String, Boolean> each : raised.entries()) {
            String name = each.getKey();
            if (!rules.contains(name)) {
                old.add(name);
            }
        }
        for (String name : old) {
            raised.remove(name);
        }
    }

    private static void forget(List<String> entryIds, Store<String, Seen> seen, Store<Long, long[]> times)
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
}
