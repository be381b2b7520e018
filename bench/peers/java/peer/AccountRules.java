package peer;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.Predicate;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;

/** What all customers asked for about one account: Rules of each, one after the other. */
record AccountRules(byte[] data) {
    static final Serde<AccountRules> SERDE =
            Serdes.serdeFrom((topic, it) -> it == null ? null : it.data, (topic, data) -> data == null ? null : new AccountRules(data));

    static AccountRules none() {
        return new AccountRules(new byte[0]);
    }

    /** The alerts that a booking raises; the joiner of bookings and rules. */
    static List<Alert> raised(Booking booking, AccountRules rules) {
        if (rules == null) {
            return Collections.emptyList();
        }
        Cursor cursor = new Cursor(rules.data);
        List<Alert> found = null;
        while (!cursor.atEnd()) {
            List<Alert> more = Rules.addRaised(booking, cursor, found);
            found = more.isEmpty() ? found : more;
        }
        return found == null ? Collections.emptyList() : found;
    }

    /** These with what one customer asks for now; null where nobody asks for anything. */
    AccountRules with(Rules own) {
        Bytes customer = Rules.customer(new Cursor(own.data()));
        ByteArrayOutputStream out = new ByteArrayOutputStream(data.length + own.data().length);
        copy(out, other -> !other.equals(customer));
        if (Rules.any(own.data())) {
            out.writeBytes(own.data());
        }
        return out.size() == 0 ? null : new AccountRules(out.toByteArray());
    }

    /** The joiner of authorizations and what was asked for: of the customers that may see the account. */
    static AccountRules of(Customers customers, AccountRules asked) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(asked.data.length);
        asked.copy(out, customers.keys()::contains);
        return out.size() == 0 ? null : new AccountRules(out.toByteArray());
    }

    private void copy(ByteArrayOutputStream out, Predicate<Bytes> chosen) {
        Cursor cursor = new Cursor(data);
        while (!cursor.atEnd()) {
            int start = cursor.at;
            Bytes customer = Rules.customer(cursor);
            cursor.at = start;
            Rules.skip(cursor);
            if (chosen.test(customer)) {
                out.write(data, start, cursor.at - start);
            }
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof AccountRules rules && Arrays.equals(data, rules.data);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(data);
    }
}
