package alerts.temporal;

import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;

/**
 * A Kafka topic whose progress {@link EndOffsetWatermarks} follows; all times in milliseconds.
 *
 * @param topic its name
 * @param client properties of a Kafka client, bootstrap.servers among them
 * @param probeInterval between two questions for the ends of its partitions
 * @param clockSkew by which this machine's clock may be ahead of the brokers'
 * @param maxWait how long bookings wait for a topic that does not get on
 * @param maxLag how long they wait for one that gets on
 */
public record TopicSource(
        String topic, Map<String, String> client, long probeInterval, long clockSkew, long maxWait, long maxLag)
        implements Serializable {
    private static final long serialVersionUID = 1;

    public TopicSource {
        client = new HashMap<>(client);
    }

    Properties properties() {
        Properties properties = new Properties();
        properties.putAll(client);
        return properties;
    }
}
