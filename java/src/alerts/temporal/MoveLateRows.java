package alerts.temporal;

import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;

/**
 * Gives a row that comes behind the watermark the first time that is not: what goes by event time in SQL would drop it. A
 * broker stamps a record before others can see it, and a busy one, or one with a slow replica, well before.
 */
final class MoveLateRows extends ProcessFunction<RowData, RowData> {
    private static final long serialVersionUID = 1;

    private final int time;
    private final RowData.FieldGetter[] getters;

    /** @param time the column that is moved, TIMESTAMP_LTZ(3) */
    MoveLateRows(RowType rows, int time) {
        this.time = time;
        getters = new RowData.FieldGetter[rows.getFieldCount()];
        for (int each = 0; each < getters.length; each++) {
            getters[each] = RowData.createFieldGetter(rows.getTypeAt(each), each);
        }
    }

    @Override
    public void processElement(RowData row, Context context, Collector<RowData> out) {
        long watermark = context.timerService().currentWatermark();
        if (row.getTimestamp(time, 3).getMillisecond() > watermark) {
            out.collect(row);
            return;
        }
        GenericRowData moved = new GenericRowData(getters.length);
        for (int each = 0; each < getters.length; each++) {
            moved.setField(each, getters[each].getFieldOrNull(row));
        }
        moved.setField(time, TimestampData.fromEpochMillis(watermark + 1));
        out.collect(moved);
    }
}
