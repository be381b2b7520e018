package peer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;

/**
 * What one customer asked for, prepared so that a booking can be looked at without making objects: customer, language,
 * and an array of rules: account, currency, place of the type in TYPES, threshold, setting, and an array of targets:
 * place of the channel, address. In Avro binary, which is read anew for each booking.
 */
record Rules(byte[] data) {
    static final Serde<Rules> SERDE =
            Serdes.serdeFrom((topic, it) -> it == null ? null : it.data, (topic, data) -> data == null ? null : new Rules(data));

    static final List<String> TYPES = List.of("BALANCE_ABOVE", "BALANCE_BELOW", "CREDITED_ABOVE", "DEBITED_ABOVE");
    /** By place in TYPES: BALANCE_BELOW, DEBITED_ABOVE, CREDITED_ABOVE, BALANCE_ABOVE. */
    private static final int[] IMPORTANCE = {3, 0, 2, 1};
    private static final Comparator<Alert.Reason> MOST_IMPORTANT =
            Comparator.<Alert.Reason>comparingInt(reason -> IMPORTANCE[reason.type()])
                    .thenComparing(Alert.Reason::settingId);
    private static final Alert.Channel[] CHANNELS = Alert.Channel.values();

    private record Target(Alert.Channel channel, String address) {
    }

    /** The alerts that a booking raises; the joiner of bookings and settings. */
    static List<Alert> raised(Booking booking, Rules rules) {
        return rules == null ? Collections.emptyList() : addRaised(booking, new Cursor(rules.data), null);
    }

    /** The same for the Rules at the cursor, which stands behind them afterwards; added to those found before. */
    static List<Alert> addRaised(Booking booking, Cursor cursor, List<Alert> found) {
        int customerLength = cursor.readLength();
        int customerAt = cursor.at;
        cursor.at += customerLength;
        int languageLength = cursor.readLength();
        int languageAt = cursor.at;
        cursor.at += languageLength;
        Map<Target, List<Alert.Reason>> reasons = null;
        for (int count = cursor.readBlock(); count > 0; count = cursor.readBlock()) {
            for (; count > 0; count--) {
                boolean account = cursor.readEquals(booking.data, booking.accountAt, booking.accountLength);
                boolean currency = cursor.readEquals(booking.data, booking.currencyAt, booking.currencyLength);
                int type = (int) cursor.readLong();
                long threshold = cursor.readLong();
                int settingLength = cursor.readLength();
                int settingAt = cursor.at;
                cursor.at += settingLength;
                boolean raised = account && currency && isRaised(type, threshold, booking);
                if (raised && reasons == null) {
                    reasons = new LinkedHashMap<>();
                }
                for (int targets = cursor.readBlock(); targets > 0; targets = cursor.readBlock()) {
                    for (; targets > 0; targets--) {
                        int channel = (int) cursor.readLong();
                        int length = cursor.readLength();
                        if (raised) {
                            reasons.computeIfAbsent(new Target(CHANNELS[channel], cursor.text(cursor.at, length)),
                                            none -> new ArrayList<>(1))
                                    .add(new Alert.Reason(cursor.text(settingAt, settingLength), type, threshold));
                        }
                        cursor.at += length;
                    }
                }
            }
        }
        if (reasons != null) {
            List<Alert> alerts = found == null ? new ArrayList<>(2) : found;
            String customer = cursor.text(customerAt, customerLength);
            String language = cursor.text(languageAt, languageLength);
            List<String[]> params = booking.params();
            reasons.forEach((target, each) -> {
                each.sort(MOST_IMPORTANT);
                alerts.add(Alert.of(booking, customer, language, target.channel, target.address, params, each));
            });
            return alerts;
        }
        return found == null ? Collections.emptyList() : found;
    }

    /** The key of the customer whose Rules begin at the cursor. */
    static Bytes customer(Cursor cursor) {
        int length = cursor.readLength();
        return Bytes.wrap(Arrays.copyOfRange(cursor.data, cursor.at, cursor.at + length));
    }

    /** Whether a Rules has rules. */
    static boolean any(byte[] data) {
        Cursor cursor = new Cursor(data);
        cursor.skipString();
        cursor.skipString();
        return cursor.readBlock() > 0;
    }

    /** Pass the Rules that begin at the cursor. */
    static void skip(Cursor cursor) {
        cursor.skipString();
        cursor.skipString();
        for (int count = cursor.readBlock(); count > 0; count = cursor.readBlock()) {
            for (; count > 0; count--) {
                cursor.skipString();
                skipRule(cursor);
            }
        }
    }

    /** Pass a rule of which the account was read. */
    static void skipRule(Cursor cursor) {
        cursor.skipString();
        cursor.readLong();
        cursor.readLong();
        cursor.skipString();
        for (int targets = cursor.readBlock(); targets > 0; targets = cursor.readBlock()) {
            for (; targets > 0; targets--) {
                cursor.readLong();
                cursor.skipString();
            }
        }
    }

    /** Whether a booking raises a rule; by the place of its type in TYPES. */
    private static boolean isRaised(int type, long threshold, Booking booking) {
        long balance = booking.balance;
        switch (type) {
            case 0: // BALANCE_ABOVE: before <= threshold
                return booking.hasBalance && balance > threshold && (booking.credit
                        ? underflows(balance, booking.amount) || balance - booking.amount <= threshold
                        : !overflows(balance, booking.amount) && balance + booking.amount <= threshold);
            case 1: // BALANCE_BELOW: before >= threshold
                return booking.hasBalance && balance < threshold && (booking.credit
                        ? !underflows(balance, booking.amount) && balance - booking.amount >= threshold
                        : overflows(balance, booking.amount) || balance + booking.amount >= threshold);
            case 2:
                return booking.credit && booking.amount > threshold;
            case 3:
                return !booking.credit && booking.amount > threshold;
            default:
                throw new IllegalStateException("alert type " + type);
        }
    }

    private static boolean underflows(long balance, long amount) {
        return balance - amount > balance;
    }

    private static boolean overflows(long balance, long amount) {
        return balance + amount < balance;
    }
}
