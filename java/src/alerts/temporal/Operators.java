package alerts.temporal;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.OutputTag;

/** Places the project's operators between tables; jobs/operators.py calls it. Rows pass as they are, without conversion. */
public final class Operators {
    private static final String WRITTEN_AT = "written_at";

    private Operators() {}

    /** The same rows, planned once for all who read them: without it each reader of a view would read its topic. */
    public static Table planOnce(StreamTableEnvironment tables, Table table) {
        return tables.fromDataStream(rows(tables, table));
    }

    /**
     * Bookings with the settings that hold for them ({@link TemporalJoin}).
     *
     * @param entries usable bookings, with entry_id, account_id, currency, booked_at, countable and rules_time
     * @param authorizations all records, with account_id, customer_ids, record (null: a tombstone), reason (null: usable),
     *     written (milliseconds UTC), source_partition and source_offset
     * @param settings the same with customer_id, language, time_zone, addresses, settings, quiet_from, quiet_to and
     *     digest
     * @param lists of the data contract, by name: see {@link CheckSettings.Lists}
     * @param mostChannels how many a valid setting may have
     * @param reach milliseconds for which a booking is counted, at least
     * @return by name: candidates, and of the records of settings the invalid_settings (with a column invalid, the reason)
     */
    public static Map<String, Table> temporalJoin(
            StreamTableEnvironment tables, Table entries, Table authorizations, Table settings,
            TopicSource entriesTopic, TopicSource authorizationsTopic, TopicSource settingsTopic,
            Map<String, List<String>> lists, int mostChannels, long retention, long reach) {
        RowType booking = type(entries);
        RowType settingsRecord = type(settings);
        OutputTag<RowData> invalid = tag("invalid-settings", joined(settingsRecord, "invalid", DataTypes.STRING()));

        SingleOutputStreamOperator<RowData> customers = customers(tables, settings, lists, mostChannels, invalid);
        DataStream<RowData> settingsChanges = EndOffsetWatermarks
                .assign(customers, Rows.info(Rows.CUSTOMER), 2, 3, settingsTopic, "settings-watermarks")
                .filter(Operators::isChange).name("changes of settings")
                .keyBy(row -> row.getString(0).toString())
                .process(new SplitSettings(), Rows.info(Rows.CHANGE))
                .name("split settings by account").uid("split-settings");

        DataStream<RowData> authorizationChanges = EndOffsetWatermarks
                .assign(authorizationRows(tables, authorizations), Rows.info(Rows.AUTHORIZATION), 2, 3,
                        authorizationsTopic, "authorizations-watermarks")
                .filter(Operators::isChange).name("changes of authorizations")
                .map(row -> (RowData) GenericRowData.of(
                        row.getString(0), row.getLong(1), null, null, row.isNullAt(4) ? null : row.getRow(4, 1)))
                .returns(Rows.info(Rows.CHANGE)).name("authorizations by account");

        int key = at(entries, "account_id");
        SingleOutputStreamOperator<RowData> candidates = TopicIdCheck
                .check(rows(tables, entries), InternalTypeInfo.of(booking), entriesTopic, "entries-topic-id")
                .assignTimestampsAndWatermarks(WatermarkStrategy.forGenerator(any -> new WithoutEnd()))
                .name("watermark without end").uid("entries-watermark-without-end")
                .keyBy(row -> row.getString(key).toString())
                .connect(settingsChanges.union(authorizationChanges).keyBy(row -> row.getString(0).toString()))
                .process(new TemporalJoin(booking,
                        new TemporalJoin.Fields(at(entries, "currency"), at(entries, "countable"), at(entries, "rules_time")),
                        retention, reach,
                        new AccountCounts(at(entries, "currency"), at(entries, "entry_id"), at(entries, "booked_at"),
                                reach, retention + reach)), InternalTypeInfo.of(Rows.candidate(booking)))
                .name("temporal join").uid("temporal-join");
        return Map.of(
                "candidates", tables.fromDataStream(candidates),
                "invalid_settings", tables.fromDataStream(customers.getSideOutput(invalid)));
    }

    /**
     * The raised settings of a booking and customer in one row ({@link CollectReasons}).
     *
     * @param raised rows of the temporal join, chained to it: a booking, a customer, a setting
     * @param importance the alert types, the most important first
     */
    public static Table collectReasons(StreamTableEnvironment tables, Table raised, List<String> importance) {
        RowType booking = (RowType) type(raised).getTypeAt(0).copy(false);
        return tables.fromDataStream(rows(tables, raised)
                .process(new CollectReasons(importance, booking.getFieldCount()), InternalTypeInfo.of(Rows.raised(booking)))
                .name("collect reasons").uid("collect-reasons"));
    }

    private static SingleOutputStreamOperator<RowData> customers(
            StreamTableEnvironment tables, Table settings, Map<String, List<String>> lists, int mostChannels,
            OutputTag<RowData> invalid) {
        return rows(tables, settings)
                .process(new CheckSettings(
                        new CheckSettings.Lists(set(lists, "channels"), mostChannels, set(lists, "amount_types"),
                                set(lists, "count_types"), set(lists, "other_types"),
                                CheckSettings.FIELDS.stream().map(field -> set(lists, field)).toList()),
                        new CheckSettings.Fields(at(settings, "customer_id"), at(settings, "language"),
                                at(settings, "addresses"), at(settings, "settings"), at(settings, "written"),
                                at(settings, "source_partition"), at(settings, "source_offset"), at(settings, "record"),
                                at(settings, "reason"),
                                CheckSettings.FIELDS.stream().map(field -> at(settings, field)).toList()),
                        invalid), Rows.info(Rows.CUSTOMER))
                .name("check settings").uid("check-settings");
    }

    /**
     * The same rows with watermarks: the time up to which their topic has been read ({@link EndOffsetWatermarks}).
     *
     * @param records all records of the topic, with written_at, source_partition and source_offset
     * @param moveLate whether a record that comes behind the watermark gets a later time ({@link MoveLateRows})
     */
    public static Table assignWatermarks(
            StreamTableEnvironment tables, Table records, TopicSource topic, boolean moveLate, String uid) {
        InternalTypeInfo<RowData> type = InternalTypeInfo.of(type(records));
        SingleOutputStreamOperator<RowData> marked = EndOffsetWatermarks.assign(
                rows(tables, records), type, at(records, "source_partition"), at(records, "source_offset"), topic, uid);
        if (moveLate) {
            marked = marked.process(new MoveLateRows(type(records), at(records, WRITTEN_AT)), type)
                    .name("move late rows").uid(uid + "-move-late-rows");
        }
        return tables.fromDataStream(
                marked, Schema.newBuilder().watermark(WRITTEN_AT, "SOURCE_WATERMARK()").build());
    }

    /**
     * Rows beside the values that their key had at their time ({@link VersionedLookup}).
     *
     * @param rows with the key, and rules_time
     * @param key the column of the key, in both tables
     * @param versions the key, its values (all null: they have ended), and written_at; with watermarks
     * @param keep for how long an earlier version is kept, by the time of its successor; milliseconds
     * @return the columns of the rows, and those of the values
     */
    public static Table lookUp(
            StreamTableEnvironment tables, Table rows, String key, Table versions, long keep, String uid) {
        RowType left = type(rows);
        List<RowType.RowField> values = new ArrayList<>();
        for (RowType.RowField field : type(versions).getFields()) {
            if (!field.getName().equals(key) && !field.getName().equals(WRITTEN_AT)) {
                values.add(new RowType.RowField(field.getName(), field.getType().copy(true)));
            }
        }
        int[] columns = values.stream().mapToInt(value -> at(versions, value.getName())).toArray();
        int keyOfRow = at(rows, key);
        int keyOfVersion = at(versions, key);
        return tables.fromDataStream(rows(tables, rows)
                .assignTimestampsAndWatermarks(WatermarkStrategy.forGenerator(any -> new WithoutEnd()))
                .name("watermark without end").uid(uid + "-watermark-without-end")
                .keyBy(row -> row.getString(keyOfRow).toString())
                .connect(rows(tables, versions).keyBy(row -> row.getString(keyOfVersion).toString()))
                .process(
                        new VersionedLookup(InternalTypeInfo.of(left), at(rows, "rules_time"), new RowType(values),
                                columns, at(versions, WRITTEN_AT), keep),
                        InternalTypeInfo.of(Rows.joined(left, values.toArray(new RowType.RowField[0]))))
                .name(uid).uid(uid));
    }

    /**
     * At most so many rows of each key within a time ({@link LimitPerKey}); what is over is left out and counted.
     *
     * @param key the column of the key
     * @param time the column with a row's time
     * @param most how many
     * @param within the time, milliseconds
     * @param metric the name of the counter
     */
    public static Table limit(
            StreamTableEnvironment tables, Table rows, String key, String time, int most, long within, String metric,
            String uid) {
        int keyOfRow = at(rows, key);
        return tables.fromDataStream(rows(tables, rows)
                .keyBy(row -> row.getString(keyOfRow).toString())
                .process(new LimitPerKey(at(rows, time), most, within, metric), InternalTypeInfo.of(type(rows)))
                .name(uid.replace('-', ' ')).uid(uid));
    }

    private static boolean isChange(RowData row) {
        return !row.getString(0).equals(StringData.fromString(""));
    }

    private static DataStream<RowData> authorizationRows(StreamTableEnvironment tables, Table table) {
        int account = at(table, "account_id");
        int customers = at(table, "customer_ids");
        int record = at(table, "record");
        int reason = at(table, "reason");
        int written = at(table, "written");
        int partition = at(table, "source_partition");
        int offset = at(table, "source_offset");
        return rows(tables, table)
                .map(row -> (RowData) GenericRowData.of(
                        row.isNullAt(reason) ? row.getString(account) : StringData.fromString(""), row.getLong(written),
                        row.getInt(partition), row.getLong(offset),
                        row.isNullAt(record) ? null : GenericRowData.of(distinct(row.getArray(customers)))))
                .returns(Rows.info(Rows.AUTHORIZATION)).name("check authorizations");
    }

    private static DataStream<RowData> rows(StreamTableEnvironment tables, Table table) {
        DataType row = table.getResolvedSchema().toPhysicalRowDataType().notNull();
        return tables.toDataStream(table, row.bridgedTo(RowData.class));
    }

    private static RowType type(Table table) {
        return (RowType) table.getResolvedSchema().toPhysicalRowDataType().getLogicalType();
    }

    private static int at(Table table, String column) {
        int at = table.getResolvedSchema().getColumnNames().indexOf(column);
        if (at < 0) {
            throw new IllegalArgumentException("the table has no column " + column);
        }
        return at;
    }

    private static RowType joined(RowType left, String name, DataType right) {
        return Rows.joined(left, new RowType.RowField(name, right.getLogicalType()));
    }

    private static OutputTag<RowData> tag(String name, RowType type) {
        return new OutputTag<>(name, InternalTypeInfo.of(type));
    }

    private static Set<String> set(Map<String, List<String>> lists, String name) {
        return new TreeSet<>(lists.get(name));
    }

    static ArrayData distinct(ArrayData customers) {
        Set<Object> each = new LinkedHashSet<>();
        for (int place = 0; place < customers.size(); place++) {
            each.add(customers.getString(place));
        }
        return new GenericArrayData(each.toArray());
    }

    /** Of what is joined: so the watermark of the join is that of the changes alone. */
    private static final class WithoutEnd implements WatermarkGenerator<RowData> {
        @Override
        public void onEvent(RowData event, long timestamp, WatermarkOutput output) {}

        @Override
        public void onPeriodicEmit(WatermarkOutput output) {
            output.emitWatermark(new Watermark(Long.MAX_VALUE - 1));
        }
    }
}
