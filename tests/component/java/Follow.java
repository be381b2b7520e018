import alerts.temporal.EndOffsetWatermarks;
import alerts.temporal.TopicIdCheck;
import alerts.temporal.TopicSource;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.IntType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Follows topics by the project's operators and prints what comes, a line each:
 * NAME R partition offset timestamp; NAME W watermark; NAME S savepoint; NAME F the reason of a failure.
 *
 * <p>Reads commands: start NAME BOOTSTRAP TOPIC PARALLELISM MAX_WAIT MAX_LAG MICROSECONDS [SAVEPOINT]; stop NAME
 * FOLDER; cancel NAME. Each record is worked on for so many microseconds.
 */
public final class Follow {
    private static final InternalTypeInfo<RowData> TYPE =
            InternalTypeInfo.of(RowType.of(new IntType(false), new BigIntType(false), new BigIntType(false)));

    public static void main(String[] none) throws Exception {
        Map<String, JobClient> jobs = new HashMap<>();
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.split(" ");
            String name = words[1];
            switch (words[0]) {
                case "start" -> jobs.put(name, start(words));
                case "stop" -> say(name + " S "
                        + jobs.remove(name).stopWithSavepoint(false, words[2], SavepointFormatType.CANONICAL).get());
                default -> jobs.remove(name).cancel().get();
            }
        }
        System.exit(0);
    }

    private static JobClient start(String[] words) throws Exception {
        String name = words[1];
        Configuration config = new Configuration();
        config.setString("restart-strategy.type", "none");
        config.setString("pipeline.object-reuse", "true");
        if (words.length > 8) {
            config.setString("execution.state-recovery.path", words[8]);
        }
        StreamExecutionEnvironment env =
                StreamExecutionEnvironment.createLocalEnvironment(Integer.parseInt(words[4]), config);
        TopicSource topic = new TopicSource(
                words[3], Map.of("bootstrap.servers", words[2]), 100, 0, Long.parseLong(words[5]), Long.parseLong(words[6]));
        KafkaSource<RowData> source = KafkaSource.<RowData>builder()
                .setBootstrapServers(words[2])
                .setTopics(words[3])
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setProperty("isolation.level", "read_committed")
                .setDeserializer(new Place())
                .build();
        long pause = Long.parseLong(words[7]) * 1_000;
        DataStream<RowData> records = env.fromSource(source, WatermarkStrategy.noWatermarks(), "topic").uid("topic")
                .map(row -> slowly(row, pause)).returns(TYPE);
        EndOffsetWatermarks.assign(TopicIdCheck.check(records, TYPE, topic, "topic-id"), TYPE, 0, 1, topic, "known-until")
                .transform("print", TYPE, new Print(name))
                .setParallelism(1);
        JobClient job = env.executeAsync(name);
        job.getJobExecutionResult().whenComplete((result, error) -> {
            for (Throwable each = error; each != null; each = each.getCause()) {
                say(name + " F " + String.valueOf(each.getMessage()).replace('\n', ' '));
            }
        });
        return job;
    }

    private static RowData slowly(RowData row, long nanos) {
        for (long until = System.nanoTime() + nanos; System.nanoTime() < until; ) {
            LockSupport.parkNanos(nanos);
        }
        return row;
    }

    private static void say(String line) {
        System.out.println(line);
    }

    private static final class Place implements KafkaRecordDeserializationSchema<RowData> {
        @Override
        public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<RowData> out) {
            out.collect(GenericRowData.of(record.partition(), record.offset(), record.timestamp()));
        }

        @Override
        public TypeInformation<RowData> getProducedType() {
            return TYPE;
        }
    }

    private static final class Print extends AbstractStreamOperator<RowData>
            implements OneInputStreamOperator<RowData, RowData> {
        private final String name;

        Print(String name) {
            this.name = name;
        }

        @Override
        public void processElement(StreamRecord<RowData> element) {
            RowData row = element.getValue();
            say(name + " R " + row.getInt(0) + " " + row.getLong(1) + " " + row.getLong(2));
        }

        @Override
        public void processWatermark(Watermark mark) {
            say(name + " W " + mark.getTimestamp());
        }
    }
}
