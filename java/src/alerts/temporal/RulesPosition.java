package alerts.temporal;

import java.time.Duration;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * How far a source of settings or authorizations is, for Flink's alignment of sources: that of bookings may be only so far
 * ahead. The position is {@link #SHIFT} earlier than the record, and a source may be that much ahead of the slowest, and a
 * few seconds: so bookings wait for rules, and sources of rules for nobody.
 *
 * <p>A record that was written before the job started has the earliest position of all: no booking is joined before it has
 * been read. For a record more than max_lag old no booking waits any longer. Nor does any for one that is just written, and
 * for none after it in its partition, for positions never go back: what is held at its source is the backlog of a start. For
 * Flink 2.3 keeps the position of a source that failed until it reads again (FLINK-40505), and a live one must not hold
 * bookings for so long.
 */
public final class RulesPosition extends ScalarFunction {
    private static final long serialVersionUID = 1;
    /** 100 years. */
    private static final long SHIFT = Duration.ofDays(36_500).toMillis();

    /** As long as bookings may be ahead (jobs/operators.py), ms. */
    private static final long JUST_WRITTEN = 5_000;

    /**
     * 1970: bookings may be 100 years ahead of it, and it is no more than 100 years ahead of the earliest position. A later one
     * would let this source wait for those of other rules, and what is idle and paused is not resumed (FLINK-40093).
     */
    private static final TimestampData HOLDS_NOTHING = TimestampData.fromEpochMillis(0);

    private transient long started;

    @Override
    public void open(FunctionContext context) {
        started = System.currentTimeMillis();
    }

    @DataTypeHint(value = "TIMESTAMP_LTZ(3)", bridgedTo = TimestampData.class)
    public TimestampData eval(
            @DataTypeHint(value = "TIMESTAMP_LTZ(3)", bridgedTo = TimestampData.class) TimestampData writtenAt, Long maxLag) {
        long written = writtenAt.getMillisecond();
        long now = System.currentTimeMillis();
        if (now - written < JUST_WRITTEN) {
            return HOLDS_NOTHING;
        }
        if (written < started) {
            return TimestampData.fromEpochMillis(-SHIFT);
        }
        return TimestampData.fromEpochMillis((now - written > maxLag ? now : written) - SHIFT);
    }

    @Override
    public boolean isDeterministic() {
        return false;
    }
}
