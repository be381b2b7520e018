package alerts.temporal;

import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;

/** Lets records pass, and keeps the id of their topic: on another topic of that name the job's state fits no more. */
public final class TopicIdCheck extends AbstractStreamOperator<RowData>
        implements OneInputStreamOperator<RowData, RowData> {
    private static final long serialVersionUID = 1;

    private final TopicSource topic;
    private transient TopicIdentity identity;

    private TopicIdCheck(TopicSource topic) {
        this.topic = topic;
    }

    /** Makes the job fail at its start where the topic is not the one that its state was made from. */
    public static SingleOutputStreamOperator<RowData> check(
            DataStream<RowData> records, InternalTypeInfo<RowData> type, TopicSource topic, String uid) {
        return records.transform(uid, type, new TopicIdCheck(topic)).uid(uid);
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        identity = new TopicIdentity(topic.topic(), context.getOperatorStateStore());
    }

    @Override
    public void open() throws Exception {
        super.open();
        identity.check(topic);
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        identity.snapshot();
    }

    @Override
    public void processElement(StreamRecord<RowData> element) {
        output.collect(element);
    }
}
