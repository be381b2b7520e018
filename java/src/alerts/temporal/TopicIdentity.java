package alerts.temporal;

import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.OperatorStateStore;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;

/** The id of the topic that an operator's state belongs to: a topic that was deleted and made anew has another. */
final class TopicIdentity {
    private static final long TIMEOUT_S = 30;

    private final String topic;
    private final ListState<String> stored;
    private final String restored;
    private String id;

    /** Reads the id from the state of an operator that is being initialized. */
    TopicIdentity(String topic, OperatorStateStore state) throws Exception {
        this.topic = topic;
        stored = state.getUnionListState(new ListStateDescriptor<>("topic-id", Types.STRING));
        String first = null;
        for (String each : stored.get()) {
            first = each;
        }
        restored = first;
    }

    /** Asks Kafka for the id, at the start of the job. @throws IllegalStateException it is not that of the state */
    void check(TopicSource source) throws Exception {
        try (Admin admin = Admin.create(source.properties())) {
            check(describe(admin, topic));
        }
    }

    void check(TopicDescription description) {
        String current = description.topicId().toString();
        String expected = id == null ? restored : id;
        if (expected != null && !expected.equals(current)) {
            throw new IllegalStateException(String.format(
                    "The topic %s was made anew: its id is %s, and the state of this job is of %s. The offsets in the state "
                            + "would skip records. Start the job without state: docs/operations/upgrades.md, \"A topic made anew\".",
                    topic, current, expected));
        }
        id = current;
    }

    void snapshot() throws Exception {
        stored.update(List.of(id));
    }

    static TopicDescription describe(Admin admin, String topic)
            throws ExecutionException, InterruptedException, TimeoutException {
        return admin.describeTopics(List.of(topic)).allTopicNames().get(TIMEOUT_S, TimeUnit.SECONDS).get(topic);
    }
}
