package alerts.temporal;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntPredicate;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
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
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;

/**
 * Says by watermarks up to which time a topic has been read ("complete up to T"): a thread of its own asks Kafka for the
 * ends of the partitions, and when all records before them have passed, the time of the question is the watermark.
 * Nothing is guessed from silence, and no call blocks the operator.
 *
 * <p>Every record of the topic must come this way, read committed from the earliest offset, also those that are put aside
 * later: one that is filtered before holds the watermark back. Watermarks that come with the records are dropped.
 */
public final class EndOffsetWatermarks extends AbstractStreamOperator<RowData>
        implements OneInputStreamOperator<RowData, RowData>, ProcessingTimeService.ProcessingTimeCallback {
    private static final long serialVersionUID = 1;
    /** So many offsets before the end a partition is looked at at once: markers of transactions, most likely. */
    private static final long NEAR = 16;

    private static final long RETRY = 1_000;

    /** The ends of the partitions as they were at a time, and whether all before them has passed. */
    private record Look(long time, Map<Integer, Long> ends, CountDownLatch reached) {}

    private final TopicSource topic;
    private final int partitionField;
    private final int offsetField;

    private transient ListState<Map<Integer, Long>> stored;
    /** By partition: below it all has passed. Written by the operator, read by the prober. */
    private transient Map<Integer, Long> positions;
    /** By partition: below it nothing more comes. Written by the prober. */
    private transient Map<Integer, Long> empty;

    private transient volatile Look asked;
    private transient volatile Throwable failure;
    private transient Thread prober;
    /** The question that is to be answered next, and the ends that have not been reached. */
    private transient Look pending;

    private transient Map<Integer, Long> missing;
    private transient long emitted;

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
        stored.update(List.of(new HashMap<>(positions)));
    }

    @Override
    public void open() throws Exception {
        super.open();
        empty = new ConcurrentHashMap<>();
        missing = new HashMap<>();
        emitted = Long.MIN_VALUE;
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
        if (end != null && next >= end) {
            missing.remove(partition);
            answer();
        }
    }

    @Override
    public void onProcessingTime(long time) throws Exception {
        if (failure != null) {
            throw new IllegalStateException("The ends of the topic " + topic.topic() + " are not asked for any more", failure);
        }
        if (pending == null && asked != null && asked.reached.getCount() > 0) {
            pending = asked;
            missing.putAll(pending.ends);
        }
        missing.entrySet().removeIf(end -> {
            long next = Math.max(positions.getOrDefault(end.getKey(), 0L), empty.getOrDefault(end.getKey(), 0L));
            return next >= end.getValue();
        });
        answer();
        schedule();
    }

    /** Emits the watermark where all that was asked for has passed. */
    private void answer() {
        if (pending != null && missing.isEmpty()) {
            pending.reached.countDown();
            emit(pending.time - 1); // What is written within this millisecond may still come.
            pending = null;
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
        try (TopicEnds kafka = new TopicEnds(topic)) {
            while (true) {
                try {
                    long start = System.nanoTime();
                    ask(kafka, mine);
                    TimeUnit.NANOSECONDS.sleep(topic.probeInterval() * 1_000_000 - (System.nanoTime() - start));
                } catch (ExecutionException | TimeoutException | KafkaException error) {
                    if (error instanceof InterruptException) {
                        return;
                    }
                    LOG.warn("cannot ask for the ends of {}, trying again", topic.topic(), error);
                    Thread.sleep(RETRY);
                }
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    /** Asks for the ends, and waits until all before them has passed. */
    private void ask(TopicEnds kafka, IntPredicate mine) throws ExecutionException, InterruptedException, TimeoutException {
        long time = System.currentTimeMillis() - topic.clockSkew();
        Look look = new Look(time, kafka.ends(kafka.describe(), mine), new CountDownLatch(1));
        asked = look;
        Map<Integer, Long> before = Map.of();
        do {
            Map<Integer, Long> now = new HashMap<>(positions);
            for (Map.Entry<Integer, Long> each : look.ends.entrySet()) {
                int partition = each.getKey();
                long end = each.getValue();
                long from = Math.max(now.getOrDefault(partition, 0L), empty.getOrDefault(partition, 0L));
                now.put(partition, from);
                if (from < end && (end - from <= NEAR || before.getOrDefault(partition, -1L) == from)) {
                    empty.put(partition, kafka.firstRecord(partition, from, end));
                }
            }
            before = now;
        } while (!look.reached.await(topic.probeInterval(), TimeUnit.MILLISECONDS));
    }
}
