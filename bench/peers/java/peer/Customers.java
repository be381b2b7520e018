package peer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;

/** Who may see an account: an Avro array of strings, each of them once. */
record Customers(byte[] data) {
    static final Serde<Customers> SERDE = Serdes.serdeFrom((topic, it) -> it == null ? null : it.data, (topic, data) ->
            data == null ? null : new Customers(data));

    static Customers of(Set<String> ids) {
        Writer out = new Writer();
        return new Customers(out.items(ids, out::text).bytes());
    }

    /** The keys of all of them. */
    List<Bytes> keys() {
        Cursor cursor = new Cursor(data);
        List<Bytes> keys = new ArrayList<>(2);
        for (int count = cursor.readBlock(); count > 0; count = cursor.readBlock()) {
            for (; count > 0; count--) {
                int length = cursor.readLength();
                keys.add(Bytes.wrap(Arrays.copyOfRange(data, cursor.at, cursor.at + length)));
                cursor.at += length;
            }
        }
        return keys;
    }

    /** A booking, and who may see its account; null: nobody. */
    record Seen(Booking booking, Customers by) {
        /** The booking once for each of them. */
        List<KeyValue<Bytes, Booking>> perCustomer() {
            if (by == null) {
                return Collections.emptyList();
            }
            List<Bytes> keys = by.keys();
            List<KeyValue<Bytes, Booking>> pairs = new ArrayList<>(keys.size());
            for (Bytes key : keys) {
                pairs.add(new KeyValue<>(key, booking));
            }
            return pairs;
        }
    }
}
