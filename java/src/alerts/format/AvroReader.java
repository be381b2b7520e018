package alerts.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.RowType;

/**
 * Reads one bare Avro value out of a byte array. Strict: a string must be UTF-8, a length must fit what is left, and
 * the caller checks with {@link #end} that nothing remains. It keeps nothing from one record to the next.
 */
final class AvroReader {
    /** Reads a value; of type null where the table has no such column. */
    interface Column {
        Object read(AvroReader in) throws IOException;
    }

    private final byte[] bytes;
    private final int longestText;
    private int position;
    /** Items that lists may still have: each takes a byte at least, so that a small record cannot be a large value. */
    private long itemsLeft;

    AvroReader(byte[] bytes, int start, int longestText) {
        this.bytes = bytes;
        this.position = start;
        this.longestText = longestText;
        this.itemsLeft = bytes.length;
    }

    /**
     * The reader of a value that was written by one schema for a column of the table: fields the table doesn't have are
     * read over, columns the writer doesn't know are empty; what is true or false is false then, as the contract's
     * schemas have it.
     */
    static Column of(Schema writer, LogicalType reader) {
        switch (writer.getType()) {
            case UNION:
                return union(writer, reader);
            case STRING:
                return expect(reader, LogicalTypeRoot.VARCHAR, writer, AvroReader::string);
            case ENUM:
                return expect(reader, LogicalTypeRoot.VARCHAR, writer, symbol(writer));
            case INT:
                return reader != null && reader.is(LogicalTypeRoot.BIGINT)
                        ? in -> (long) in.integer()
                        : expect(reader, LogicalTypeRoot.INTEGER, writer, AvroReader::integer);
            case LONG:
                return reader != null && reader.is(LogicalTypeRoot.TIMESTAMP_WITH_LOCAL_TIME_ZONE)
                        ? in -> TimestampData.fromEpochMillis(in.varint())
                        : expect(reader, LogicalTypeRoot.BIGINT, writer, AvroReader::varint);
            case RECORD:
                expect(reader, LogicalTypeRoot.ROW, writer, null);
                return record(writer, (RowType) reader, 0);
            case ARRAY:
                expect(reader, LogicalTypeRoot.ARRAY, writer, null);
                return array(of(writer.getElementType(), reader == null ? null : ((ArrayType) reader).getElementType()));
            case MAP:
                expect(reader, LogicalTypeRoot.MAP, writer, null);
                return map(of(writer.getValueType(), reader == null ? null : ((MapType) reader).getValueType()));
            case BYTES:
                return expect(reader, LogicalTypeRoot.VARBINARY, writer, in -> in.take(in.length()));
            case FIXED:
                return expect(reader, LogicalTypeRoot.BINARY, writer, in -> in.take(writer.getFixedSize()));
            case BOOLEAN:
                return expect(reader, LogicalTypeRoot.BOOLEAN, writer, AvroReader::bool);
            case FLOAT:
                return expect(reader, LogicalTypeRoot.FLOAT, writer, in -> in.take(4));
            case DOUBLE:
                return expect(reader, LogicalTypeRoot.DOUBLE, writer, in -> in.take(8));
            default:
                return in -> null;
        }
    }

    private static Column expect(LogicalType reader, LogicalTypeRoot root, Schema writer, Column column) {
        if (reader != null && !reader.is(root)) {
            throw new IllegalArgumentException(
                    "alerts-avro cannot read " + writer.getType() + " into a column of type " + reader.asSummaryString());
        }
        return column;
    }

    private static Column union(Schema writer, LogicalType reader) {
        Column[] branches = new Column[writer.getTypes().size()];
        for (int i = 0; i < branches.length; i++) {
            Schema branch = writer.getTypes().get(i);
            boolean missing = branch.getType() == Schema.Type.NULL && reader != null && !reader.isNullable();
            branches[i] = missing ? in -> { throw new BrokenRecord("not decodable: a field is null that cannot be"); } : of(branch, reader);
        }
        return in -> branches[in.index(branches.length)].read(in);
    }

    private static Column symbol(Schema writer) {
        StringData[] symbols =
                writer.getEnumSymbols().stream().map(StringData::fromString).toArray(StringData[]::new);
        return in -> symbols[in.index(symbols.length)];
    }

    /** Reads a record into a row of the table's columns, and leaves room for metadata behind them. */
    static Column record(Schema writer, RowType reader, int metadataFields) {
        int size = writer.getFields().size();
        Column[] columns = new Column[size];
        int[] targets = new int[size];
        for (int i = 0; i < size; i++) {
            Schema.Field field = writer.getFields().get(i);
            targets[i] = reader == null ? -1 : reader.getFieldIndex(field.name());
            columns[i] = of(field.schema(), targets[i] < 0 ? null : reader.getTypeAt(targets[i]));
        }
        int width = reader == null ? 0 : reader.getFieldCount();
        List<Integer> absent = new ArrayList<>();
        for (int i = 0; i < width; i++) {
            String name = reader.getFieldNames().get(i);
            LogicalType kind = reader.getTypeAt(i);
            if (kind.isNullable() || writer.getField(name) != null) {
                continue;
            }
            if (!kind.is(LogicalTypeRoot.BOOLEAN)) {
                throw new IllegalArgumentException("it has no field " + name);
            }
            absent.add(i);
        }
        return in -> {
            GenericRowData row = new GenericRowData(width + metadataFields);
            for (int flag : absent) {
                row.setField(flag, false);
            }
            for (int i = 0; i < columns.length; i++) {
                Object value = columns[i].read(in);
                if (targets[i] >= 0) {
                    row.setField(targets[i], value);
                }
            }
            return row;
        };
    }

    static Object[] emptyValues(RowType type) {
        return type == null ? new Object[0] : type.getChildren().stream().map(AvroReader::empty).toArray();
    }

    /** What a column holds that was not read: null, or where it cannot be null, nothing of its type. */
    private static Object empty(LogicalType type) {
        if (type.isNullable()) {
            return null;
        }
        switch (type.getTypeRoot()) {
            case VARCHAR:
                return StringData.fromString("");
            case BIGINT:
                return 0L;
            case INTEGER:
                return 0;
            case BOOLEAN:
                return false;
            case TIMESTAMP_WITH_LOCAL_TIME_ZONE:
                return TimestampData.fromEpochMillis(0);
            case ARRAY:
                return new GenericArrayData(new Object[0]);
            case MAP:
                return new GenericMapData(Map.of());
            case ROW:
                return GenericRowData.of(emptyValues((RowType) type));
            default:
                throw new IllegalArgumentException("alerts-avro reads no column of type " + type.asSummaryString());
        }
    }

    private static Column array(Column element) {
        return in -> {
            List<Object> elements = new ArrayList<>();
            for (long left = in.block(); left > 0; left = in.block()) {
                for (; left > 0; left--) {
                    elements.add(element.read(in));
                }
            }
            return new GenericArrayData(elements.toArray());
        };
    }

    private static Column map(Column value) {
        return in -> {
            Map<Object, Object> entries = new HashMap<>();
            for (long left = in.block(); left > 0; left = in.block()) {
                for (; left > 0; left--) {
                    entries.put(in.string(), value.read(in));
                }
            }
            return new GenericMapData(entries);
        };
    }

    /** Ends the record: whatever is left over makes it a broken one. */
    void end() throws IOException {
        if (position != bytes.length) {
            throw new BrokenRecord("not decodable: " + (bytes.length - position) + " bytes are left after the record");
        }
    }

    private long varint() throws IOException {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (position >= bytes.length) {
                throw new BrokenRecord("not decodable: the record ends within a number");
            }
            byte next = bytes[position++];
            if (shift == 63 && (next & 0xfe) != 0) {
                break;
            }
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value >>> 1 ^ -(value & 1);
            }
        }
        throw new BrokenRecord("not decodable: a number is longer than 64 bits");
    }

    private int integer() throws IOException {
        long value = varint();
        if (value != (int) value) {
            throw new BrokenRecord("not decodable: a number is longer than 32 bits");
        }
        return (int) value;
    }

    private boolean bool() throws IOException {
        if (position >= bytes.length) {
            throw new BrokenRecord("not decodable: the record ends within a value");
        }
        byte value = bytes[position++];
        if (value != 0 && value != 1) {
            throw new BrokenRecord("not decodable: a field is neither true nor false");
        }
        return value == 1;
    }

    private int index(int size) throws IOException {
        long index = varint();
        if (index < 0 || index >= size) {
            throw new BrokenRecord("not decodable: a field is of no known kind: " + index);
        }
        return (int) index;
    }

    private int length() throws IOException {
        long length = varint();
        if (length < 0 || length > bytes.length - position) {
            throw new BrokenRecord("not decodable: a string is longer than the record");
        }
        return (int) length;
    }

    private byte[] take(int size) throws IOException {
        if (size > bytes.length - position) {
            throw new BrokenRecord("not decodable: the record ends within a value");
        }
        position += size;
        return Arrays.copyOfRange(bytes, position - size, position);
    }

    /** The number of items in the next block, 0 at the end; an item takes at least one byte. */
    private long block() throws IOException {
        long count = varint();
        if (count < 0) {
            count = -count;
            varint();
        }
        if (count < 0 || count > bytes.length - position || count > itemsLeft) {
            throw new BrokenRecord("not decodable: a list is longer than the record");
        }
        itemsLeft -= count;
        return count;
    }

    private StringData string() throws IOException {
        int length = length();
        if (length > longestText) {
            throw new BrokenRecord("a text is longer than " + longestText + " bytes");
        }
        int start = position;
        position += length;
        for (int i = start; i < position; i++) {
            if (bytes[i] < 0) {
                requireUtf8(start, length);
                break;
            }
        }
        return BinaryStringData.fromBytes(bytes, start, length);
    }

    private void requireUtf8(int start, int length) throws BrokenRecord {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, start, length));
        } catch (CharacterCodingException e) {
            throw new BrokenRecord("not decodable: a string is not UTF-8");
        }
    }
}
