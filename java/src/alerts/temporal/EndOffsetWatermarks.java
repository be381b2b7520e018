package alerts.temporal;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntPredicate;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;

/**
 * Says by watermarks up to which time a topic has been read ("complete up to T"): a thread of its own asks Kafka for the
 * ends of the partitions, and when all records before them have passed, the time of the question is the watermark.
 * Nothing is guessed from silence, and no call blocks the operator.
 *
 * <p>Every record of the topic must come this way, read committed from the earliest offset, also those that are put aside
 * later: one that is filtered before holds the watermark back. So does a transaction that is open.
 *
 * <p>Better late than wrong: before the topic has been read up to the start of the operator, nothing is said. Later, where
 * neither records nor transactions get on for {@link TopicSource#maxWait}, or the topic is {@link TopicSource#maxLag}
 * behind, the watermark follows the clock so far behind, whatever is missing; that is counted and logged.
 */
public final class EndOffsetWatermarks extends AbstractStreamOperator<RowData>
        implements OneInputStreamOperator<RowData, RowData>, ProcessingTimeService.ProcessingTimeCallback {
    private static final long serialVersionUID = 1;
    /** So few offsets before the end a partition is looked at at once: they are markers of transactions, most likely. */
    private static final long NEAR = 16;
    /** Questions that wait for their answer; where there are more, every second one is forgotten. */
    private static final int LOOKS = 64;
    /** Longest time between two ticks that counts as waiting, ms: what stood still cannot have got on. */
    private static final long LONGEST_TICK = 1_000;

    private static final long RETRY = 1_000;
    private static final long DESCRIBE_NANOS = 5_000_000_000L;
    private static final long LOG_NANOS = 60_000_000_000L;

    /** The ends of the partitions as they were at a time (ms). */
    private record Look(long time, Map<Integer, Long> ends) {}

    private final TopicSource topic;
    private final int partitionField;
    private final int offsetField;

    private transient ListState<Map<Integer, Long>> stored;
    private transient TopicIdentity identity;
    /** By partition: below it all has passed. Written by the operator, read by the prober. */
    private transient Map<Integer, Long> positions;
    /** By partition: below it nothing more comes. Written by the prober. */
    private transient Map<Integer, Long> empty;
    /** What the prober has asked, the operator takes it from here. */
    private transient AtomicReference<Look> asked;

    private transient volatile Throwable failure;
    private transient Thread prober;
    private transient Deque<Look> looks;
    /** Of the oldest look: the ends that have not been reached. */
    private transient Map<Integer, Long> missing;

    private transient long emitted;
    private transient boolean caughtUp;
    private transient long lastTick;
    /** For how long nothing has got on, ms of running time. */
    private transient long stalled;
    /** How far the topic is behind, ms of running time. */
    private transient volatile long lag;

    private transient boolean fallingBack;
    private transient Counter fallbacks;

    private EndOffsetWatermarks(TopicSource topic, int partitionField, int offsetField) {
        this.topic = topic;
        this.partitionField = partitionField;
        this.offsetField = offsetField;
    }

    /**
     * Gives the records of a topic watermarks that say up to when it has been read.
     *
     * @param records all records of the topic
     * @param type their type
     * @param partitionField index of the column (INT) with the record's partition
     * @param offsetField index of the column (BIGINT) with its offset
     * @param topic the topic, and how it is asked
     * @param uid of the operator
     */
    public static SingleOutputStreamOperator<RowData> assign(
            DataStream<RowData> records,
            InternalTypeInfo<RowData> type,
            int partitionField,
            int offsetField,
            TopicSource topic,
            String uid) {
        return records.partitionCustom((Integer partition, int of) -> partition % of, row -> row.getInt(partitionField))
                .transform(uid, type, new EndOffsetWatermarks(topic, partitionField, offsetField))
                .uid(uid);
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        identity = new TopicIdentity(topic.topic(), context.getOperatorStateStore());
        stored = context.getOperatorStateStore()
                .getUnionListState(new ListStateDescriptor<>("positions", Types.MAP(Types.INT, Types.LONG)));
        positions = new ConcurrentHashMap<>();
        IntPredicate mine = mine();
        for (Map<Integer, Long> each : stored.get()) {
            each.forEach((partition, offset) -> {
                if (mine.test(partition)) {
                    positions.put(partition, offset);
                }
            });
        }
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        identity.snapshot();
        stored.update(List.of(new HashMap<>(positions)));
    }

    @Override
    public void open() throws Exception {
        super.open();
        identity.check(topic);
        empty = new ConcurrentHashMap<>();
        asked = new AtomicReference<>();
        looks = new ArrayDeque<>();
        missing = new HashMap<>();
        emitted = Long.MIN_VALUE;
        lastTick = getProcessingTimeService().getCurrentProcessingTime();
        fallbacks = getMetricGroup().counter("account_alerts_rules_fallback_watermarks_total");
        getMetricGroup().gauge("account_alerts_rules_lag_milliseconds", (Gauge<Long>) () -> lag);
        IntPredicate mine = mine();
        prober = new Thread(() -> probe(mine), "end-offsets-" + topic.topic());
        prober.setDaemon(true);
        prober.setUncaughtExceptionHandler((thread, error) -> failure = error);
        prober.start();
        schedule();
    }

    @Override
    public void close() throws Exception {
        if (prober != null) {
            prober.interrupt();
        }
        super.close();
    }

    @Override
    public void processElement(StreamRecord<RowData> element) {
        RowData row = element.getValue();
        int partition = row.getInt(partitionField);
        long next = row.getLong(offsetField) + 1;
        output.collect(element);
        positions.put(partition, next);
        Long end = missing.get(partition);
        if (end != null) {
            stalled = 0;
            if (next >= end) {
                missing.remove(partition);
                answer();
            }
        }
    }

    @Override
    public void onProcessingTime(long time) {
        if (failure != null) {
            throw new IllegalStateException("The topic " + topic.topic() + " is not followed any more", failure);
        }
        long now = getProcessingTimeService().getCurrentProcessingTime();
        long tick = Math.min(Math.max(now - lastTick, 0), LONGEST_TICK);
        lastTick = now;
        stalled += tick;
        lag += tick;
        Look look = asked.getAndSet(null);
        if (look != null) {
            looks.add(look);
            if (looks.size() == 1) {
                missing.putAll(look.ends);
            } else if (looks.size() > LOOKS) {
                thin();
            }
        }
        if (missing.entrySet().removeIf(this::reached)) {
            stalled = 0;
        }
        answer();
        fallBack(now);
        schedule();
    }

    private boolean reached(Map.Entry<Integer, Long> end) {
        int partition = end.getKey();
        return Math.max(positions.getOrDefault(partition, 0L), empty.getOrDefault(partition, 0L)) >= end.getValue();
    }

    /** Emits the time of each look, from the oldest on, whose ends have all been reached. */
    private void answer() {
        while (missing.isEmpty() && !looks.isEmpty()) {
            Look look = looks.remove();
            caughtUp = true;
            stalled = 0;
            lag = Math.max(getProcessingTimeService().getCurrentProcessingTime() - look.time, 0);
            emit(look.time - 1); // What is written within this millisecond may still come.
            if (!looks.isEmpty()) {
                missing.putAll(looks.peek().ends);
                missing.entrySet().removeIf(this::reached);
            }
        }
    }

    private void thin() {
        boolean keep = true;
        for (Iterator<Look> each = looks.iterator(); each.hasNext(); keep = !keep) {
            each.next();
            if (!keep) {
                each.remove();
            }
        }
    }

    /** Lets the watermark follow the clock where the topic has not got on, or is too far behind. */
    private void fallBack(long now) {
        long behind = stalled >= topic.maxWait() ? topic.maxWait() : topic.maxLag();
        if (!caughtUp || stalled < topic.maxWait() && lag < topic.maxLag()) {
            if (fallingBack) {
                fallingBack = false;
                LOG.info("{} gets on again, {} ms behind", topic.topic(), lag);
            }
        } else if (now - behind > emitted) {
            if (!fallingBack) {
                fallingBack = true;
                LOG.error("{} has not got on for {} ms and is {} ms behind: what waits for "
                        + "it goes on with what is known", topic.topic(), stalled, lag);
            }
            fallbacks.inc();
            emit(now - behind);
        }
    }

    private void emit(long time) {
        if (time > emitted) {
            emitted = time;
            output.emitWatermark(new Watermark(time));
        }
    }

    /** Drops what the source says, but for its last word. */
    @Override
    public void processWatermark(Watermark mark) {
        if (mark.equals(Watermark.MAX_WATERMARK)) {
            emit(mark.getTimestamp());
        }
    }

    @Override
    public void processWatermarkStatus(WatermarkStatus status) {}

    private void schedule() {
        ProcessingTimeService timers = getProcessingTimeService();
        timers.registerTimer(timers.getCurrentProcessingTime() + Math.max(1, topic.probeInterval() / 5), this);
    }

    private IntPredicate mine() {
        int of = getRuntimeContext().getTaskInfo().getNumberOfParallelSubtasks();
        int me = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
        return partition -> partition % of == me;
    }

    private void probe(IntPredicate mine) {
        long logged = System.nanoTime() - LOG_NANOS;
        try (TopicEnds kafka = new TopicEnds(topic)) {
            TopicDescription description = null;
            long described = 0;
            Map<Integer, Long> before = Map.of();
            while (true) {
                long start = System.nanoTime();
                try {
                    if (description == null || start - described > DESCRIBE_NANOS) {
                        description = kafka.describe();
                        identity.check(description);
                        described = start;
                    }
                    long time = System.currentTimeMillis() - topic.clockSkew();
                    Map<Integer, Long> ends = kafka.ends(description, mine);
                    asked.set(new Look(time, ends));
                    before = passOver(kafka, ends, before);
                    TimeUnit.NANOSECONDS.sleep(topic.probeInterval() * 1_000_000 - (System.nanoTime() - start));
                } catch (InterruptException stop) {
                    return;
                } catch (ExecutionException | TimeoutException | KafkaException error) {
                    if (start - logged >= LOG_NANOS) {
                        logged = start;
                        LOG.warn("Kafka does not say where {} ends; it is asked again", topic.topic(), error);
                    }
                    Thread.sleep(RETRY);
                }
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Finds what has offsets but no records, where the operator stands just before the end or has not moved.
     *
     * @param before where it stood the last time, by partition
     * @return where it stands now
     */
    private Map<Integer, Long> passOver(TopicEnds kafka, Map<Integer, Long> ends, Map<Integer, Long> before) {
        Map<Integer, Long> now = new HashMap<>();
        ends.forEach((partition, end) -> {
            long from = Math.max(positions.getOrDefault(partition, 0L), empty.getOrDefault(partition, 0L));
            now.put(partition, from);
            if (from < end && (end - from <= NEAR || before.getOrDefault(partition, -1L) == from)) {
                empty.put(partition, kafka.firstRecord(partition, from, end));
            }
        });
        return now;
    }
}
