package alerts.temporal;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.metrics.Counter;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.table.data.RowData;
import org.apache.flink.util.Collector;

/** Lets so many rows of a key pass within a time, and counts the others, by the times that the rows have. */
final class LimitPerKey extends KeyedProcessFunction<String, RowData, RowData> {
    private static final long serialVersionUID = 1;

    private final int time;
    private final int most;
    private final long within;
    private final String metric;

    private transient ListState<Long> passed;
    private transient Counter leftOut;

    /**
     * @param time the column with a row's time, TIMESTAMP_LTZ(3)
     * @param most how many rows pass
     * @param within the time, milliseconds
     * @param metric counts those that do not
     */
    LimitPerKey(int time, int most, long within, String metric) {
        this.time = time;
        this.most = most;
        this.within = within;
        this.metric = metric;
    }

    @Override
    public void open(OpenContext context) {
        passed = getRuntimeContext().getListState(new ListStateDescriptor<>("passed", Types.LONG));
        leftOut = getRuntimeContext().getMetricGroup().counter(metric);
    }

    @Override
    public void processElement(RowData row, Context context, Collector<RowData> out) throws Exception {
        long at = row.getTimestamp(time, 3).getMillisecond();
        List<Long> recent = since(at - within);
        if (recent.size() >= most) {
            leftOut.inc();
            return;
        }
        recent.add(at);
        passed.update(recent);
        context.timerService().registerEventTimeTimer(at + within);
        out.collect(row);
    }

    @Override
    public void onTimer(long timestamp, OnTimerContext context, Collector<RowData> out) throws Exception {
        passed.update(since(timestamp - within));
    }

    private List<Long> since(long start) throws Exception {
        List<Long> recent = new ArrayList<>();
        for (long each : passed.get()) {
            if (each > start) {
                recent.add(each);
            }
        }
        return recent;
    }
}
