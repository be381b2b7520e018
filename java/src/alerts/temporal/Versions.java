package alerts.temporal;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.RowType;

/**
 * Values by name within the current key of an operator, each with its history: a value holds from its Kafka time until the
 * next one's, milliseconds UTC.
 *
 * <p>The newest version of each name stands in one state and names the one before it, which stands in another: a change
 * costs the same however many were before it, and only who asks for an earlier time follows the chain.
 */
final class Versions {
    /** Places in a stored row; {@code UNTIL} is MAX_VALUE in the newest, {@code PREVIOUS} null in the oldest. */
    private static final int SINCE = 0;
    private static final int UNTIL = 1;
    private static final int PREVIOUS = 2;
    private static final int VALUE = 3;

    static final long NOTHING_ENDED = Long.MIN_VALUE;

    private final int fields;
    private final RowDataSerializer serializer;
    private final MapState<String, RowData> newest;
    private final MapState<String, RowData> older;

    Versions(RuntimeContext context, String state, RowType value) {
        InternalTypeInfo<RowData> type = InternalTypeInfo.of((RowType) DataTypes.ROW(
                        DataTypes.FIELD("since", DataTypes.BIGINT().notNull()),
                        DataTypes.FIELD("until", DataTypes.BIGINT().notNull()),
                        DataTypes.FIELD("previous", DataTypes.BIGINT()),
                        DataTypes.FIELD("value", DataTypes.of(value.copy(true))))
                .notNull()
                .getLogicalType());
        fields = value.getFieldCount();
        // Of this thread alone: it reuses what it writes into.
        serializer = type.toRowSerializer();
        newest = context.getMapState(new MapStateDescriptor<>(state, Types.STRING, type));
        older = context.getMapState(new MapStateDescriptor<>(state + "-history", Types.STRING, type));
    }

    /** A value at a time; {@code value} is null where there was none. */
    static final class Version {
        final long since;
        final long until;
        final RowData value;

        private Version(RowData stored, int fields) {
            since = stored.getLong(SINCE);
            until = stored.getLong(UNTIL);
            value = stored.isNullAt(VALUE) ? null : stored.getRow(VALUE, fields);
        }
    }

    /**
     * Adds a value, null where it has ended; what says the same as the newest changes nothing.
     *
     * @return when a value ended that {@link #sweep} will have to forget one day; {@link #NOTHING_ENDED}
     */
    long put(String name, long since, RowData value) throws Exception {
        RowData last = newest.get(name);
        if (last == null) {
            if (value != null) {
                newest.put(name, stored(since, null, value));
            }
            return NOTHING_ENDED;
        }
        long lastSince = last.getLong(SINCE);
        Long beforeLast = last.isNullAt(PREVIOUS) ? null : last.getLong(PREVIOUS);
        if (stored(lastSince, beforeLast, value).equals(last)) {
            return NOTHING_ENDED;
        }
        // A new leader's clock may be behind the old one's: a version never begins before the one it follows.
        if (since <= lastSince) {
            newest.put(name, stored(lastSince, beforeLast, value));
        } else {
            GenericRowData ended = GenericRowData.of(
                    lastSince, since, beforeLast, last.isNullAt(VALUE) ? null : last.getRow(VALUE, fields));
            older.put(key(name, lastSince), serializer.toBinaryRow(ended).copy());
            newest.put(name, stored(since, lastSince, value));
        }
        return Math.max(since, lastSince);
    }

    /** The value that held at a time; null where there was none. */
    RowData asOf(String name, long time) throws Exception {
        RowData row = newest.get(name);
        while (row != null && row.getLong(SINCE) > time) {
            row = before(name, row);
        }
        return row == null || row.isNullAt(VALUE) ? null : row.getRow(VALUE, fields);
    }

    /** The versions that began at or before a time and ended after another, the last one first. */
    List<Version> between(String name, long after, long time) throws Exception {
        List<Version> found = new ArrayList<>(1);
        for (RowData row = newest.get(name); row != null && row.getLong(UNTIL) > after; row = before(name, row)) {
            if (row.getLong(SINCE) <= time) {
                found.add(new Version(row, fields));
            }
        }
        return found;
    }

    /** Forgets what ended at or before a time. */
    void sweep(long before) throws Exception {
        List<String> ended = new ArrayList<>();
        for (Map.Entry<String, RowData> each : older.entries()) {
            if (each.getValue().getLong(UNTIL) <= before) {
                ended.add(each.getKey());
            }
        }
        for (String key : ended) {
            older.remove(key);
        }
        ended.clear();
        for (Map.Entry<String, RowData> each : newest.entries()) {
            if (each.getValue().isNullAt(VALUE) && each.getValue().getLong(SINCE) <= before) {
                ended.add(each.getKey());
            }
        }
        for (String name : ended) {
            newest.remove(name);
        }
    }

    private RowData before(String name, RowData row) throws Exception {
        return row.isNullAt(PREVIOUS) ? null : older.get(key(name, row.getLong(PREVIOUS)));
    }

    private static String key(String name, long since) {
        return since + " " + name;
    }

    private RowData stored(long since, Long previous, RowData value) {
        return serializer.toBinaryRow(GenericRowData.of(since, Long.MAX_VALUE, previous, value)).copy();
    }
}
