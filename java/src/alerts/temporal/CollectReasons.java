package alerts.temporal;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.util.Collector;

/**
 * Gathers the raised settings of a booking: one row for each customer, with the reasons on each channel, the most important
 * first. In come the rows of {@link TemporalJoin} that were raised, and the one that ends a booking: all within one call of
 * the join, to which this operator must be chained. So nothing is left between two bookings, and there is no state.
 */
final class CollectReasons extends ProcessFunction<RowData, RowData> implements CheckpointedFunction {
    private static final long serialVersionUID = 1;

    private final List<String> importance;
    private final int bookingFields;
    private transient Map<StringData, Raised> raised;
    private transient RowData booking;

    private record Raised(RowData customer, List<RowData> settings) {}

    /**
     * @param importance the alert types, the most important first; others come after them, by name
     * @param bookingFields how many a booking has
     */
    CollectReasons(List<String> importance, int bookingFields) {
        this.importance = List.copyOf(importance);
        this.bookingFields = bookingFields;
    }

    @Override
    public void processElement(RowData row, Context context, Collector<RowData> out) {
        if (!row.isNullAt(2)) {
            booking = row.getRow(0, bookingFields);
            RowData customer = row.getRow(1, Rows.CANDIDATE_CUSTOMER.getFieldCount());
            raised.computeIfAbsent(customer.getString(0), none -> new Raised(customer, new ArrayList<>(1)))
                    .settings.add(row.getRow(2, Rows.SETTING_FIELDS));
        } else if (!raised.isEmpty()) {
            for (Raised each : raised.values()) {
                out.collect(collect(each));
            }
            raised.clear();
            booking = null;
        }
    }

    @Override
    public void initializeState(FunctionInitializationContext context) {
        raised = new LinkedHashMap<>();
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) {
        if (!raised.isEmpty()) {
            throw new IllegalStateException("a checkpoint within a booking: this operator is not chained to the join");
        }
    }

    private RowData collect(Raised of) {
        if (of.settings.size() > 1) {
            of.settings.sort(Comparator.comparingInt(this::importance)
                    .thenComparing(setting -> setting.getString(Rows.ALERT_TYPE))
                    .thenComparing(setting -> setting.getString(Rows.SETTING_ID)));
        }
        Map<StringData, Set<RowData>> byChannel = new LinkedHashMap<>();
        for (RowData setting : of.settings) {
            RowData reason = GenericRowData.of(setting.getString(Rows.SETTING_ID), setting.getString(Rows.ALERT_TYPE),
                    setting.isNullAt(Rows.THRESHOLD) ? null : setting.getLong(Rows.THRESHOLD),
                    setting.isNullAt(Rows.COUNT) ? null : setting.getInt(Rows.COUNT),
                    setting.isNullAt(Rows.WINDOW_MINUTES) ? null : setting.getInt(Rows.WINDOW_MINUTES));
            ArrayData channels = setting.getArray(Rows.CHANNELS);
            for (int place = 0; place < channels.size(); place++) {
                byChannel.computeIfAbsent(channels.getString(place), none -> new LinkedHashSet<>(2)).add(reason);
            }
        }
        Map<StringData, ArrayData> reasons = new LinkedHashMap<>();
        byChannel.forEach((channel, each) -> reasons.put(channel, new GenericArrayData(each.toArray())));
        return GenericRowData.of(
                booking, of.customer, new GenericArrayData(byChannel.keySet().toArray()), new GenericMapData(reasons));
    }

    private int importance(RowData setting) {
        int place = importance.indexOf(setting.getString(Rows.ALERT_TYPE).toString());
        return place < 0 ? importance.size() : place;
    }
}
