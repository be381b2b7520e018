package peer;

import java.util.List;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.state.KeyValueStore;

/** Bookings, authorizations and settings become alerts. */
final class Topologies {
    private static final Serde<Bytes> KEY = Serdes.Bytes();

    private final StreamsBuilder builder;
    private final Options options;

    Topologies(StreamsBuilder builder, Options options) {
        this.builder = builder;
        this.options = options;
    }

    void build() {
        switch (options.get("mode")) {
            case "two-joins" -> twoJoins();
            case "prejoined" -> prejoined();
            default -> throw new IllegalArgumentException("--mode is two-joins or prejoined");
        }
    }

    /** A booking is joined with its account's customers, goes to each of them, and is joined with their settings. */
    private void twoJoins() {
        KTable<Bytes, Customers> authorizations = authorizations();
        KTable<Bytes, Rules> rules = settings()
                .toTable(Named.as("rules"), table("rules", Rules.SERDE));
        KStream<Bytes, Alert> alerts = bookings()
                .leftJoin(authorizations, (booking, customers) -> new Customers.Seen(booking, customers),
                        Joined.with(KEY, Booking.WHOLE, Customers.SERDE))
                .flatMap((account, seen) -> seen.perCustomer())
                .repartition(Repartitioned.<Bytes, Booking>as("bookings-by-customer")
                        .withKeySerde(KEY).withValueSerde(Booking.CHECKED))
                .leftJoin(rules, Rules::raised, Joined.with(KEY, Booking.CHECKED, Rules.SERDE))
                .flatMapValues(raised -> raised);
        send(alerts);
    }

    /** Everything asked for about an account stands in one row of its own table, so a booking is joined once. */
    private void prejoined() {
        KTable<Bytes, AccountRules> asked = settings()
                .process(new SplitByAccount.Supplier(), Named.as("split-by-account"))
                .repartition(Repartitioned.<Bytes, Rules>as("rules-by-account")
                        .withKeySerde(KEY).withValueSerde(Rules.SERDE))
                .groupByKey(Grouped.with(KEY, Rules.SERDE))
                .aggregate(AccountRules::none, (account, rules, all) -> all.with(rules),
                        table("asked-of-account", AccountRules.SERDE));
        KTable<Bytes, AccountRules> rules = authorizations().join(asked, AccountRules::of,
                table("rules-of-account", AccountRules.SERDE));
        KStream<Bytes, Alert> alerts = bookings()
                .leftJoin(rules, AccountRules::raised, Joined.with(KEY, Booking.WHOLE, AccountRules.SERDE))
                .flatMapValues((account, raised) -> raised)
                .selectKey((account, alert) -> Bytes.wrap(alert.customerId().getBytes(java.nio.charset.StandardCharsets.UTF_8)));
        send(alerts);
    }

    private KStream<Bytes, Booking> bookings() {
        KStream<Bytes, Booking> all =
                builder.stream(options.topic("account-entries"), Consumed.with(KEY, Booking.WHOLE));
        bury(all);
        return all.filter((key, booking) -> booking.problem(key) == null);
    }

    private KTable<Bytes, Customers> authorizations() {
        KStream<Bytes, Incoming<Customers>> all =
                builder.stream(options.topic("account-authorizations"), Consumed.with(KEY, Incoming.AUTHORIZATION));
        bury(all);
        return all.filter((key, incoming) -> incoming.usable(key))
                .mapValues(incoming -> incoming.value)
                .toTable(Named.as("customers"), table("customers", Customers.SERDE));
    }

    private KStream<Bytes, Rules> settings() {
        KStream<Bytes, Incoming<Rules>> all =
                builder.stream(options.topic("alert-settings"), Consumed.with(KEY, Incoming.SETTINGS));
        bury(all);
        return all.filter((key, incoming) -> incoming.usable(key)).mapValues(incoming -> incoming.value);
    }

    /** A table's store; a cache would only delay what it says to others. */
    private static <V> Materialized<Bytes, V, KeyValueStore<Bytes, byte[]>> table(String name, Serde<V> serde) {
        return Materialized.<Bytes, V>as(new HashStore.Supplier(name)).withKeySerde(KEY).withValueSerde(serde)
                .withCachingDisabled();
    }

    private <T extends Checked> void bury(KStream<Bytes, T> all) {
        all.filter((key, record) -> record.problem(key) != null)
                .mapValues(record -> (Checked) record)
                .process(DeadLetters::new)
                .to(options.topic("dead-letters"), Produced.with(KEY, Serdes.ByteArray()));
    }

    private void send(KStream<Bytes, Alert> alerts) {
        var channels = alerts.split();
        for (Alert.Channel channel : List.of(Alert.Channel.values())) {
            String topic = options.topic("outbound-" + channel.name().toLowerCase(java.util.Locale.ROOT));
            channels = channels.branch((customer, alert) -> alert.channel() == channel,
                    Branched.withConsumer(own -> own.to(topic, Produced.with(KEY, Alert.SERDE))));
        }
        channels.noDefaultBranch();
    }
}
