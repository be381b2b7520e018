package peer;

import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** Starts the application; runs until it is told to end (SIGTERM), which it does cleanly. */
public final class Main {
    private Main() {
    }

    public static void main(String[] arguments) throws InterruptedException {
        Options options;
        try {
            options = new Options(arguments);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.exit(2);
            return;
        }
        Properties properties = properties(options);
        StreamsBuilder builder = new StreamsBuilder();
        new Topologies(builder, options).build();
        Topology topology = builder.build(properties);
        if (Boolean.getBoolean("peer.describe")) {
            System.out.println(topology.describe());
        }
        KafkaStreams streams = new KafkaStreams(topology, properties);
        CountDownLatch ended = new CountDownLatch(1);
        streams.setUncaughtExceptionHandler(e -> {
            e.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.setStateListener((now, before) -> {
            System.out.println(now + " " + System.currentTimeMillis());
            if (now == KafkaStreams.State.ERROR || now == KafkaStreams.State.NOT_RUNNING) {
                ended.countDown();
            }
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(30))));
        streams.start();
        ended.await();
        if (streams.state() == KafkaStreams.State.ERROR) {
            Runtime.getRuntime().halt(1);
        }
    }

    private static Properties properties(Options options) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, options.get("prefix") + options.get("application-id"));
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, options.get("bootstrap"));
        properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, options.get("threads"));
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, options.get("guarantee"));
        properties.put(StreamsConfig.STATE_DIR_CONFIG, options.get("state-dir"));
        properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, options.get("commit-interval"));
        properties.put(StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, options.get("idle"));
        properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, "0");
        properties.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
        properties.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, "5000");
        consumer(properties, ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        // What an aborted transaction wrote was never written.
        consumer(properties, ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        // A member with a name takes up its work at once when it is started again.
        consumer(properties, ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, options.get("instance"));
        consumer(properties, ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "4000");
        producer(properties, ProducerConfig.LINGER_MS_CONFIG, options.get("linger"));
        producer(properties, ProducerConfig.BATCH_SIZE_CONFIG, "131072");
        producer(properties, ProducerConfig.COMPRESSION_TYPE_CONFIG, options.get("compression"));
        properties.putAll(options.properties);
        return properties;
    }

    private static void consumer(Properties properties, String name, String value) {
        properties.put(StreamsConfig.mainConsumerPrefix(name), value);
    }

    private static void producer(Properties properties, String name, String value) {
        properties.put(StreamsConfig.producerPrefix(name), value);
    }
}
