package alerts.temporal;

import java.io.Serializable;
import java.util.List;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.streaming.api.TimerService;
import org.apache.flink.table.data.RowData;

/** Which settings that count card bookings a booking raises; for the account that is the operator's key. */
interface CardCounts extends Serializable {
    /**
     * A setting that counts, and whose it is.
     *
     * @param customer its customer, {@link Rows#CANDIDATE_CUSTOMER}
     * @param setting {@link Rows#SETTING}
     * @param end milliseconds UTC; Long.MAX_VALUE where it has not ended
     */
    record Counted(RowData customer, RowData setting, long end) {}

    void open(RuntimeContext context);

    /**
     * Counts a card booking, and returns those of the settings that it raises.
     *
     * @param time its rules_time, milliseconds UTC
     * @param settings that count in its currency: each as it holds, or as it ended last
     */
    List<Counted> raised(RowData booking, long time, List<Counted> settings, TimerService timers) throws Exception;

    /** Forgets what no window needs any more; called when the timers fire that it has registered, and others. */
    void forget(long timer, TimerService timers) throws Exception;
}
