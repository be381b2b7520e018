package alerts.temporal;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntPredicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** What Kafka says about the ends of a topic's partitions; each call blocks. */
final class TopicEnds implements AutoCloseable {
    private static final long TIMEOUT_S = 5;
    private static final Duration FETCH = Duration.ofMillis(50);

    private final String topic;
    private final Admin admin;
    private final KafkaConsumer<byte[], byte[]> consumer;

    TopicEnds(TopicSource source) {
        topic = source.topic();
        admin = Admin.create(source.properties());
        Properties reading = source.properties();
        reading.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        reading.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        reading.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        reading.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "1");
        reading.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, "1"); // One batch: its first record is enough.
        reading.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, String.valueOf(FETCH.toMillis()));
        consumer = new KafkaConsumer<>(reading, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    TopicDescription describe() throws ExecutionException, InterruptedException, TimeoutException {
        return TopicIdentity.describe(admin, topic);
    }

    /** Returns the high watermark of each partition that is wanted: what an open transaction wrote is below it. */
    Map<Integer, Long> ends(TopicDescription description, IntPredicate wanted)
            throws ExecutionException, InterruptedException, TimeoutException {
        Map<TopicPartition, OffsetSpec> question = new HashMap<>();
        for (TopicPartitionInfo info : description.partitions()) {
            if (wanted.test(info.partition())) {
                question.put(new TopicPartition(topic, info.partition()), OffsetSpec.latest());
            }
        }
        Map<Integer, Long> ends = new HashMap<>();
        if (!question.isEmpty()) {
            Map<TopicPartition, ListOffsetsResultInfo> answer = admin.listOffsets(
                            question, new ListOffsetsOptions(IsolationLevel.READ_UNCOMMITTED))
                    .all()
                    .get(TIMEOUT_S, TimeUnit.SECONDS);
            answer.forEach((partition, info) -> ends.put(partition.partition(), info.offset()));
        }
        return ends;
    }

    /**
     * Returns the offset of the first committed record at or after {@code from}, or {@code end} where none is before it.
     * Markers of transactions, what was aborted and what was compacted are passed over; where an open transaction stands
     * before the answer, it is the transaction's first offset.
     */
    long firstRecord(int number, long from, long end) {
        TopicPartition partition = new TopicPartition(topic, number);
        consumer.assign(List.of(partition));
        consumer.seek(partition, from);
        while (true) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(FETCH.multipliedBy(2))) {
                return Math.min(record.offset(), end); // One beyond the end says as well that nothing is before it.
            }
            long position = consumer.position(partition);
            if (position >= end) {
                return end;
            }
            if (position <= from) {
                return from;
            }
            from = position;
        }
    }

    @Override
    public void close() {
        consumer.close(CloseOptions.timeout(Duration.ZERO));
        admin.close(Duration.ZERO);
    }
}
