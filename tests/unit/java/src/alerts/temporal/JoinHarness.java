package alerts.temporal;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.State;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.KeyedStateBackend;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.StateBackendLoader;
import org.apache.flink.runtime.state.TestableKeyedStateBackend;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.streaming.api.TimerService;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.api.operators.ProcessOperator;
import org.apache.flink.streaming.api.operators.co.KeyedCoProcessOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedTwoInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.OutputTag;

/**
 * The operators of the temporal join in memory, with watermarks by command: each line in is a JSON object with the steps of
 * one run, each line out has what came of each step.
 */
public final class JoinHarness {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int KEY_GROUPS = 8;
    private static final int RECORD = 7;
    private static final int REASON = 8;
    private static final int FIELDS = 9;
    private static final DataType TEXT = DataTypes.STRING().notNull();
    private static final RowType BOOKING = type(
            DataTypes.FIELD("entry_id", TEXT), DataTypes.FIELD("account_id", TEXT), DataTypes.FIELD("currency", TEXT),
            DataTypes.FIELD("countable", DataTypes.BOOLEAN().notNull()),
            DataTypes.FIELD("rules_time", DataTypes.TIMESTAMP_LTZ(3).notNull()));
    private static final RowType INVALID_RECORD = type(
            DataTypes.FIELD("customer_id", DataTypes.STRING()), DataTypes.FIELD("language", DataTypes.STRING()),
            DataTypes.FIELD("addresses", DataTypes.ARRAY(DataTypes.ROW(TEXT, TEXT))),
            DataTypes.FIELD("settings", DataTypes.ARRAY(DataTypes.ROW(TEXT, TEXT, TEXT, TEXT, DataTypes.ARRAY(TEXT),
                    DataTypes.BIGINT(), DataTypes.INT(), DataTypes.INT(), DataTypes.TIMESTAMP_LTZ(3)))),
            DataTypes.FIELD("written", DataTypes.BIGINT()), DataTypes.FIELD("source_partition", DataTypes.INT()),
            DataTypes.FIELD("source_offset", DataTypes.BIGINT()), DataTypes.FIELD("record", DataTypes.STRING()),
            DataTypes.FIELD("reason", DataTypes.STRING()), DataTypes.FIELD("time_zone", DataTypes.STRING()),
            DataTypes.FIELD("quiet_from", DataTypes.STRING()), DataTypes.FIELD("quiet_to", DataTypes.STRING()),
            DataTypes.FIELD("digest", DataTypes.STRING()), DataTypes.FIELD("invalid", TEXT));
    private static final OutputTag<RowData> INVALID = new OutputTag<>("invalid", Rows.info(INVALID_RECORD));
    /** What was to be counted, since it was last taken. */
    private static final List<CountedBooking> COUNTED = new ArrayList<>();

    private record CountedBooking(RowData booking, CardCounts.Counted setting) {}

    /** Raises nothing. */
    private static final class Recorded implements CardCounts {
        private static final long serialVersionUID = 1;

        @Override
        public void open(RuntimeContext context) {}

        @Override
        public List<Counted> raised(RowData booking, long time, List<Counted> settings, TimerService timers) {
            settings.forEach(setting -> COUNTED.add(new CountedBooking(booking, setting)));
            return List.of();
        }

        @Override
        public void forget(long timer, TimerService timers) {}
    }

    private final StateBackend backend;
    private final long retention;
    private final long reach;
    private final boolean realCounts;
    private final OneInputStreamOperatorTestHarness<RowData, RowData> check;
    private final List<KeyedOneInputStreamOperatorTestHarness<String, RowData, RowData>> split = new ArrayList<>();
    private final List<KeyedTwoInputStreamOperatorTestHarness<String, RowData, RowData, RowData>> join = new ArrayList<>();

    private int accesses;
    private int iterations;

    private JoinHarness(JsonNode run) throws Exception {
        Configuration options = new Configuration();
        options.set(StateBackendOptions.STATE_BACKEND, run.get("backend").asText());
        // Or else a timer that has fired stands in a batch for a while, and would be counted.
        options.setString("state.backend.rocksdb.timer-service.factory", "HEAP");
        backend = StateBackendLoader.loadStateBackendFromConfig(options, JoinHarness.class.getClassLoader(), null);
        retention = run.get("retention").asLong();
        reach = run.get("reach").asLong();
        realCounts = run.get("real_counts").asBoolean();
        JsonNode lists = run.get("lists");
        check = new OneInputStreamOperatorTestHarness<>(new ProcessOperator<>(new CheckSettings(
                new CheckSettings.Lists(set(lists.get("channels")), run.get("most_channels").asInt(),
                        set(lists.get("amount_types")), set(lists.get("count_types")), set(lists.get("other_types")),
                        CheckSettings.FIELDS.stream().map(field -> set(lists.get(field))).toList()),
                new CheckSettings.Fields(0, 1, 2, 3, 4, 5, 6, RECORD, REASON,
                        IntStream.range(0, CheckSettings.FIELDS.size()).map(each -> FIELDS + each).boxed().toList()),
                INVALID)));
        check.setup(Rows.info(Rows.CUSTOMER).toSerializer());
        check.open();
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader runs = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = runs.readLine(); line != null; line = runs.readLine()) {
            JsonNode run = JSON.readTree(line);
            JoinHarness harness = new JoinHarness(run);
            System.out.println(JSON.writeValueAsString(harness.run(run)));
        }
    }

    private ArrayNode run(JsonNode run) throws Exception {
        ArrayNode came = JSON.createArrayNode();
        open(run.get("parallelism").asInt(), List.of(), List.of());
        for (JsonNode step : run.get("steps")) {
            ObjectNode result = came.addObject();
            accesses = 0;
            iterations = 0;
            switch (step.get("do").asText()) {
                case "booking" -> book(step);
                case "authorization" -> change(authorization(step));
                case "settings" -> settings(step, result);
                case "watermark" -> {
                    for (var each : join) {
                        each.processWatermark2(new Watermark(step.get("at").asLong()));
                    }
                }
                case "restore" -> restore(step.get("parallelism").asInt());
                case "entries" -> result.put("entries", entries());
                default -> throw new IllegalArgumentException(step.toString());
            }
            take(result);
            result.put("accesses", accesses).put("iterations", iterations);
        }
        check.close();
        for (var each : split) {
            each.close();
        }
        for (var each : join) {
            each.close();
        }
        return came;
    }

    private void open(int parallelism, List<OperatorSubtaskState> split, List<OperatorSubtaskState> join)
            throws Exception {
        int before = split.size();
        OperatorSubtaskState splits = packed(split);
        OperatorSubtaskState joins = packed(join);
        this.split.clear();
        this.join.clear();
        for (int each = 0; each < parallelism; each++) {
            var splitting = new KeyedOneInputStreamOperatorTestHarness<>(
                    new KeyedProcessOperator<>(new SplitSettings()), key(0), Types.STRING, KEY_GROUPS, parallelism, each);
            open(splitting, splits, before, parallelism, each, Rows.CHANGE);
            this.split.add(splitting);
            TemporalJoin function =
                    new TemporalJoin(BOOKING, new TemporalJoin.Fields(2, 3, 4), retention, reach,
                            realCounts ? new AccountCounts(2, 0, 4, reach, retention + reach) : new Recorded());
            var joining = new KeyedTwoInputStreamOperatorTestHarness<>(
                    new KeyedCoProcessOperator<>(function), key(1), key(0), Types.STRING, KEY_GROUPS, parallelism, each);
            open(joining, joins, before, parallelism, each, Rows.candidate(BOOKING));
            function.setRuntimeContext(counted(RuntimeContext.class, function.getRuntimeContext()));
            function.open(null);
            joining.processWatermark1(new Watermark(Long.MAX_VALUE - 1));
            this.join.add(joining);
        }
    }

    private void open(
            AbstractStreamOperatorTestHarness<RowData> harness, OperatorSubtaskState state, int before, int parallelism,
            int subtask, RowType output) throws Exception {
        harness.setStateBackend(backend);
        harness.setup(Rows.info(output).toSerializer());
        if (state != null) {
            harness.initializeState(AbstractStreamOperatorTestHarness.repartitionOperatorState(
                    state, KEY_GROUPS, before, parallelism, subtask));
        }
        harness.open();
    }

    private void restore(int parallelism) throws Exception {
        List<OperatorSubtaskState> splits = new ArrayList<>();
        List<OperatorSubtaskState> joins = new ArrayList<>();
        for (int each = 0; each < join.size(); each++) {
            splits.add(split.get(each).snapshot(1, 1));
            joins.add(join.get(each).snapshot(1, 1));
            split.get(each).close();
            join.get(each).close();
        }
        open(parallelism, splits, joins);
    }

    /** A context whose states count how often they are asked, or a state that does. */
    private <T> T counted(Class<T> type, T real) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> {
            Object found = method.invoke(real, arguments);
            if (found instanceof State state) {
                return counted((Class<State>) method.getReturnType(), state);
            }
            accesses++;
            iterations += found instanceof Iterable || found instanceof Iterator ? 1 : 0;
            return found;
        }));
    }

    private static OperatorSubtaskState packed(List<OperatorSubtaskState> states) throws Exception {
        return states.isEmpty() ? null
                : AbstractStreamOperatorTestHarness.repackageState(states.toArray(new OperatorSubtaskState[0]));
    }

    private void book(JsonNode step) throws Exception {
        RowData booking = sent(BOOKING, GenericRowData.of(
                text(step.get("entry_id")), text(step.get("account_id")), text(step.get("currency")),
                step.get("countable").asBoolean(), TimestampData.fromEpochMillis(step.get("at").asLong())));
        join.get(subtask(booking.getString(1))).processElement1(new StreamRecord<>(booking));
    }

    private RowData authorization(JsonNode step) {
        JsonNode customers = step.get("customer_ids");
        return GenericRowData.of(text(step.get("account_id")), step.get("at").asLong(), null, null,
                customers.isNull() ? null : GenericRowData.of(Operators.distinct(texts(customers))));
    }

    private void change(RowData change) throws Exception {
        RowData sent = sent(Rows.CHANGE, change);
        join.get(subtask(sent.getString(0))).processElement2(new StreamRecord<>(sent));
    }

    private void settings(JsonNode step, ObjectNode result) throws Exception {
        JsonNode record = step.get("record");
        GenericRowData row = new GenericRowData(FIELDS + CheckSettings.FIELDS.size());
        row.setField(0, text(step.get("customer_id")));
        row.setField(4, step.get("at").asLong());
        row.setField(5, 0);
        row.setField(6, 0L);
        row.setField(REASON, text(step.get("reason")));
        if (!record.isNull()) {
            row.setField(RECORD, text(step.get("customer_id")));
            for (int each = 0; each < CheckSettings.FIELDS.size(); each++) {
                row.setField(FIELDS + each, text(record.get(CheckSettings.FIELDS.get(each))));
            }
            row.setField(1, text(record.get("language")));
            row.setField(2, rows(record.get("addresses"), address -> GenericRowData.of(
                    text(address.get("channel")), text(address.get("address")))));
            row.setField(3, rows(record.get("settings"), setting -> GenericRowData.of(
                    text(setting.get("setting_id")), text(setting.get("account_id")), text(setting.get("currency")),
                    text(setting.get("alert_type")), texts(setting.get("channels")),
                    setting.get("threshold_minor").isNull() ? null : setting.get("threshold_minor").asLong(),
                    setting.get("count").isNull() ? null : setting.get("count").asInt(),
                    setting.get("window_minutes").isNull() ? null : setting.get("window_minutes").asInt(), null)));
        }
        check.processElement(new StreamRecord<>(row));
        ArrayNode invalid = result.putArray("invalid");
        var reasons = check.getSideOutput(INVALID);
        while (reasons != null && !reasons.isEmpty()) {
            RowData refused = reasons.poll().getValue();
            invalid.add(refused.getString(refused.getArity() - 1).toString());
        }
        for (RowData customer : taken(check)) {
            if (!customer.getString(0).toString().isEmpty()) {
                RowData sent = sent(Rows.CUSTOMER, customer);
                var splitting = split.get(subtask(sent.getString(0)));
                splitting.processElement(new StreamRecord<>(sent));
                for (RowData change : taken(splitting)) {
                    change(change);
                }
            }
        }
    }

    private int entries() {
        int entries = 0;
        List<AbstractStreamOperatorTestHarness<RowData>> all = new ArrayList<>(split);
        all.addAll(join);
        for (var each : all) {
            KeyedStateBackend<?> state = ((AbstractStreamOperator<?>) each.getOperator()).getKeyedStateBackend();
            entries += ((TestableKeyedStateBackend<?>) state).numKeyValueStateEntries();
        }
        for (var each : join) {
            entries += each.numEventTimeTimers();
        }
        return entries;
    }

    private void take(ObjectNode result) {
        ArrayNode candidates = result.putArray("candidates");
        ArrayNode counted = result.putArray("counted");
        for (var each : join) {
            boolean ended = true;
            for (RowData row : taken(each)) {
                ended = row.isNullAt(row.getArity() - 2);
                if (ended) {
                    continue;
                }
                RowData customer = row.getRow(row.getArity() - 3, 4);
                RowData setting = row.getRow(row.getArity() - 2, Rows.SETTING_FIELDS);
                ArrayNode candidate = candidates.addArray().add(row.getString(0).toString());
                candidate.add(customer.getString(0).toString());
                for (int field : new int[] {Rows.SETTING_ID, Rows.ALERT_TYPE, Rows.SETTING_CURRENCY}) {
                    candidate.add(setting.getString(field).toString());
                }
                candidate.add(customer.getString(1).toString());
                candidate.add(setting.isNullAt(Rows.THRESHOLD) ? null : (Long) setting.getLong(Rows.THRESHOLD));
                candidate.add(words(setting.getArray(Rows.CHANNELS)));
                candidate.add(words(customer.getArray(2))).add(words(customer.getArray(3)));
            }
            if (!ended) {
                throw new IllegalStateException("a booking has candidates and no end");
            }
        }
        for (CountedBooking each : COUNTED) {
            RowData customer = each.setting.customer();
            RowData setting = each.setting.setting();
            ArrayNode told = counted.addArray().add(each.booking.getString(0).toString());
            told.add(customer.getString(0).toString()).add(setting.getString(Rows.SETTING_ID).toString());
            told.add(setting.getInt(Rows.COUNT)).add(setting.getInt(Rows.WINDOW_MINUTES));
            told.add(customer.getString(1).toString()).add(words(setting.getArray(Rows.CHANNELS)));
            told.add(words(customer.getArray(2))).add(words(customer.getArray(3)));
            // What ends after the booking holds for it, as what does not end.
            if (each.setting.end() > each.booking.getTimestamp(4, 3).getMillisecond()) {
                told.addNull();
            } else {
                told.add(each.setting.end());
            }
        }
        COUNTED.clear();
    }

    private static List<RowData> taken(AbstractStreamOperatorTestHarness<RowData> harness) {
        List<RowData> rows = new ArrayList<>();
        for (Object each : harness.getOutput()) {
            if (each instanceof StreamRecord<?> record) {
                rows.add((RowData) record.getValue());
            }
        }
        harness.getOutput().clear();
        return rows;
    }

    private static RowType type(DataTypes.Field... fields) {
        return (RowType) DataTypes.ROW(fields).notNull().getLogicalType();
    }

    /** A row as it comes out of the network. */
    private static RowData sent(RowType type, RowData row) {
        return Rows.info(type).toRowSerializer().toBinaryRow(row).copy();
    }

    private int subtask(StringData key) {
        return KeyGroupRangeAssignment.assignKeyToParallelOperator(key.toString(), KEY_GROUPS, join.size());
    }

    private static KeySelector<RowData, String> key(int field) {
        return row -> row.getString(field).toString();
    }

    private static Set<String> set(JsonNode texts) {
        Set<String> all = new HashSet<>();
        texts.forEach(each -> all.add(each.asText()));
        return all;
    }

    private static StringData text(JsonNode text) {
        return text.isNull() ? null : StringData.fromString(text.asText());
    }

    private static GenericArrayData texts(JsonNode texts) {
        return new GenericArrayData(IntStream.range(0, texts.size()).mapToObj(each -> text(texts.get(each))).toArray());
    }

    private static GenericArrayData rows(JsonNode nodes, java.util.function.Function<JsonNode, RowData> row) {
        return new GenericArrayData(
                IntStream.range(0, nodes.size()).mapToObj(each -> row.apply(nodes.get(each))).toArray());
    }

    private static ArrayNode words(ArrayData array) {
        ArrayNode words = JSON.createArrayNode();
        for (int each = 0; each < array.size(); each++) {
            words.add(array.getString(each).toString());
        }
        return words;
    }
}
