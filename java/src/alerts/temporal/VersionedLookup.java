package alerts.temporal;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.streaming.api.functions.co.KeyedCoProcessFunction;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.utils.JoinedRowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;

/**
 * A temporal join: each row of the first input beside the values that its key had at its time, nulls where it had none.
 *
 * <p>The second input has the changes of the values, with the time from which they hold; one whose values are all null ends
 * them. The watermark is the second input's, for the first's is without end: a row whose time it has reached is answered at
 * once, and any other waits for it. So live, in a backlog and after a cold start a row finds the same values.
 */
final class VersionedLookup extends KeyedCoProcessFunction<String, RowData, RowData, RowData> {
    private static final long serialVersionUID = 1;
    private static final String THE_KEYS = "";

    private final InternalTypeInfo<RowData> rows;
    private final int time;
    private final RowType values;
    private final RowData.FieldGetter[] getters;
    private final int since;
    private final long keep;

    private transient Versions versions;
    private transient ListState<RowData> waiting;
    private transient JoinedRowData joined;
    private transient GenericRowData none;

    /**
     * @param rows type of the first input
     * @param time its column that says as of when, TIMESTAMP_LTZ(3)
     * @param values type of the values
     * @param columns where they stand in the second input
     * @param since its column that says from when on, TIMESTAMP_LTZ(3)
     * @param keep for how long an earlier version is kept, by the time of its successor; milliseconds
     */
    VersionedLookup(InternalTypeInfo<RowData> rows, int time, RowType values, int[] columns, int since, long keep) {
        this.rows = rows;
        this.time = time;
        this.values = values;
        this.since = since;
        this.keep = keep;
        getters = new RowData.FieldGetter[columns.length];
        for (int each = 0; each < columns.length; each++) {
            getters[each] = RowData.createFieldGetter(values.getTypeAt(each), columns[each]);
        }
    }

    @Override
    public void open(OpenContext context) {
        versions = new Versions(getRuntimeContext(), "versions", values);
        waiting = getRuntimeContext().getListState(new ListStateDescriptor<>("waiting", rows));
        joined = new JoinedRowData();
        none = new GenericRowData(getters.length);
    }

    @Override
    public void processElement1(RowData row, Context context, Collector<RowData> out) throws Exception {
        long asOf = asOf(row);
        if (asOf <= context.timerService().currentWatermark()) {
            join(row, asOf, out);
        } else {
            waiting.add(row);
            context.timerService().registerEventTimeTimer(asOf);
        }
    }

    @Override
    public void processElement2(RowData change, Context context, Collector<RowData> out) throws Exception {
        GenericRowData changed = new GenericRowData(getters.length);
        boolean ended = true;
        for (int each = 0; each < getters.length; each++) {
            changed.setField(each, getters[each].getFieldOrNull(change));
            ended &= changed.isNullAt(each);
        }
        long from = change.getTimestamp(since, 3).getMillisecond();
        long over = versions.put(THE_KEYS, from, ended ? null : changed);
        if (over != Versions.NOTHING_ENDED) {
            context.timerService().registerEventTimeTimer(over + keep);
        }
    }

    @Override
    public void onTimer(long timestamp, OnTimerContext context, Collector<RowData> out) throws Exception {
        long watermark = context.timerService().currentWatermark();
        List<RowData> rest = new ArrayList<>();
        boolean answered = false;
        for (RowData row : waiting.get()) {
            long asOf = asOf(row);
            if (asOf <= watermark) {
                join(row, asOf, out);
                answered = true;
            } else {
                rest.add(row);
            }
        }
        if (answered) {
            waiting.update(rest);
        }
        if (watermark < Long.MAX_VALUE - 1) { // Else the changes have ended, and rows may still come.
            versions.sweep(timestamp - keep);
        }
    }

    private long asOf(RowData row) {
        return row.getTimestamp(time, 3).getMillisecond();
    }

    private void join(RowData row, long asOf, Collector<RowData> out) throws Exception {
        RowData held = versions.asOf(THE_KEYS, asOf);
        out.collect(joined.replace(row, held == null ? none : held));
    }
}
