package peer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * A customer's rules by account: for each account that they ask about now, and with no rules for each that they did
 * ask about before. The store remembers which those are.
 */
final class SplitByAccount extends ContextualProcessor<Bytes, Rules, Bytes, Rules> {
    private static final String STORE = "accounts-of-customer";

    private KeyValueStore<Bytes, Customers> accounts;

    static final class Supplier implements ProcessorSupplier<Bytes, Rules, Bytes, Rules> {
        @Override
        public Processor<Bytes, Rules, Bytes, Rules> get() {
            return new SplitByAccount();
        }

        @Override
        public Set<StoreBuilder<?>> stores() {
            return Set.of(Stores.keyValueStoreBuilder(new HashStore.Supplier(STORE), Serdes.Bytes(), Customers.SERDE));
        }
    }

    @Override
    public void init(ProcessorContext<Bytes, Rules> context) {
        super.init(context);
        accounts = context.getStateStore(STORE);
    }

    /** Where a rule begins and ends. */
    private record Part(int from, int to) {
    }

    @Override
    public void process(Record<Bytes, Rules> record) {
        byte[] data = record.value() == null
                ? new Writer().text(Cursor.text(record.key().get())).text("").number(0).bytes()
                : record.value().data();
        Cursor cursor = new Cursor(data);
        cursor.skipString();
        cursor.skipString();
        int head = cursor.at;
        Map<String, List<Part>> byAccount = new HashMap<>();
        cursor.readList(() -> {
            int from = cursor.at;
            String account = cursor.readString();
            Rules.skipRule(cursor);
            return byAccount.computeIfAbsent(account, id -> new ArrayList<>()).add(new Part(from, cursor.at));
        });
        Set<String> names = new LinkedHashSet<>(byAccount.keySet());
        Customers before = accounts.get(record.key());
        if (before != null) {
            before.keys().forEach(key -> byAccount.computeIfAbsent(Cursor.text(key.get()), id -> List.of()));
        }
        accounts.put(record.key(), names.isEmpty() ? null : Customers.of(names));
        byAccount.forEach((account, own) -> {
            Writer out = new Writer().raw(data, 0, head);
            out.items(own, part -> out.raw(data, part.from, part.to));
            context().forward(record.withKey(Bytes.wrap(Cursor.bytes(account))).withValue(new Rules(out.bytes())));
        });
    }
}
