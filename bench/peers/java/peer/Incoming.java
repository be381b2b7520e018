package peer;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;

/** A record of one of the two tables, read and checked once, when it comes. */
final class Incoming<T> implements Checked {
    static final Serde<Incoming<Customers>> AUTHORIZATION = serde(Incoming::authorization);
    static final Serde<Incoming<Rules>> SETTINGS = serde(Incoming::settings);

    private static final String COUNT = "TRANSACTION_COUNT";

    private final byte[] data;
    private final String id;
    private final String problem;
    /** What goes into the table: null deletes. */
    final T value;
    /** Whether it goes into the table at all. */
    private final boolean usable;

    private Incoming(byte[] data, String id, String problem, T value, boolean usable) {
        this.data = data;
        this.id = id;
        this.problem = problem;
        this.value = value;
        this.usable = usable;
    }

    private static Incoming<Customers> authorization(byte[] data) {
        Cursor cursor = new Cursor(data);
        String account = cursor.readText();
        Customers customers = Customers.of(new LinkedHashSet<>(cursor.readList(cursor::readText)));
        cursor.mustEnd();
        return new Incoming<>(data, account, null, customers, true);
    }

    private record Address(Alert.Channel channel, String address) {
        static Address read(Cursor cursor) {
            String channel = cursor.readText();
            String address = cursor.readText();
            return Alert.Channel.NAMES.contains(channel) ? new Address(Alert.Channel.valueOf(channel), address) : null;
        }
    }

    private record Setting(String id, String account, String currency, String type, List<String> channels,
            Long threshold, Long count, Long minutes) {
        static Setting read(Cursor cursor) {
            Setting setting = new Setting(cursor.readText(), cursor.readText(), cursor.readText(), cursor.readText(),
                    cursor.readList(cursor::readText), cursor.readNullable(cursor::readLong),
                    cursor.readNullable(cursor::readLong), cursor.readNullable(cursor::readLong));
            cursor.readNullable(cursor::readLong); // Snoozing is the senders' business.
            return setting;
        }

        boolean known() {
            return Rules.TYPES.contains(type);
        }

        boolean valid() {
            boolean complete = type.equals(COUNT) ? count != null && minutes != null : threshold != null;
            return !(known() || type.equals(COUNT)) || complete && Alert.Channel.NAMES.containsAll(channels);
        }

        Set<Address> targets(List<Address> addresses) {
            Set<Address> targets = new LinkedHashSet<>();
            for (Address address : addresses) {
                if (address != null && channels.contains(address.channel.name())) {
                    targets.add(address);
                }
            }
            return targets;
        }
    }

    private static Incoming<Rules> settings(byte[] data) {
        Cursor cursor = new Cursor(data);
        String customer = cursor.readText();
        String language = cursor.readText();
        cursor.readText(); // Time zone and quiet hours are the senders' business, too.
        List<Address> addresses = cursor.readList(() -> Address.read(cursor));
        List<Setting> settings = cursor.readList(() -> Setting.read(cursor));
        for (int i = 0; i < 3; i++) {
            cursor.readNullable(cursor::readText);
        }
        cursor.mustEnd();
        List<String> invalid = new ArrayList<>();
        List<Setting> rules = new ArrayList<>();
        for (Setting setting : settings) {
            if (!setting.valid()) {
                invalid.add(setting.id);
            } else if (setting.known() && !setting.targets(addresses).isEmpty()) {
                rules.add(setting);
            } // Counts are not this application's business; of other types a newer version may know.
        }
        Writer out = new Writer().text(customer).text(language);
        out.items(rules, rule -> out.text(rule.account).text(rule.currency).number(Rules.TYPES.indexOf(rule.type))
                .number(rule.threshold).text(rule.id).items(rule.targets(addresses),
                        target -> out.number(target.channel.ordinal()).text(target.address)));
        String problem = invalid.isEmpty() ? null : "invalid settings: " + String.join(", ", invalid);
        return new Incoming<>(data, customer, problem, new Rules(out.bytes()), true);
    }

    @Override
    public byte[] original() {
        return data;
    }

    @Override
    public String problem(Bytes key) {
        return foreign(key) ? "the key is not the id in the record" : problem;
    }

    /** Whether the table takes it: an unreadable record leaves the last good one in force. */
    boolean usable(Bytes key) {
        return usable && !foreign(key);
    }

    private boolean foreign(Bytes key) {
        return key == null || id != null && !Bytes.wrap(id.getBytes(java.nio.charset.StandardCharsets.UTF_8)).equals(key);
    }

    private interface Reader<T> {
        Incoming<T> read(byte[] data);
    }

    private static <T> Serde<Incoming<T>> serde(Reader<T> reader) {
        Deserializer<Incoming<T>> deserializer = (topic, data) -> {
            if (data == null) {
                return new Incoming<>(null, null, null, null, true);
            }
            try {
                return reader.read(data);
            } catch (Cursor.BadRecord e) {
                return new Incoming<>(data, null, "cannot be decoded: " + e.getMessage(), null, false);
            }
        };
        return Serdes.serdeFrom((topic, incoming) -> incoming.data, deserializer);
    }
}
