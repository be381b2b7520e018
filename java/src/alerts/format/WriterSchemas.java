package alerts.format;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.SchemaBuilder;
import org.apache.flink.formats.avro.registry.confluent.ConfluentSchemaRegistryCoder;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.RowType;

/** Finds what a record was written with: the table's own columns, or in the Confluent wire format a registered schema. */
final class WriterSchemas {
    private static final int CONFLUENT_HEADER = 5;
    /** The registry's own code: a plain 404 may be a proxy's, of a registry that is away. */
    private static final int NO_SUCH_SCHEMA = 40403;
    private static final int CACHED_SCHEMAS = 1000;

    private final RowType type;
    private final int metadataFields;
    private final int longestText;
    private final AvroReader.Column own;
    private final ConfluentSchemaRegistryCoder registry;
    private final Map<Integer, AvroReader.Column> known = new HashMap<>();

    WriterSchemas(RowType type, int metadataFields, String registryUrl, int longestText) {
        this.type = type;
        this.metadataFields = metadataFields;
        this.longestText = longestText;
        this.own = columns(toSchema(type.copy(false)));
        this.registry = registryUrl == null
                ? null
                : new ConfluentSchemaRegistryCoder(
                        new CachedSchemaRegistryClient(registryUrl, CACHED_SCHEMAS, Collections.emptyMap()));
    }

    /** The schema the table's columns stand for: fields in their order, what can be null as the union ["null", T]. */
    private static Schema toSchema(LogicalType type) {
        if (type.isNullable()) {
            return Schema.createUnion(Schema.create(Schema.Type.NULL), toSchema(type.copy(false)));
        }
        switch (type.getTypeRoot()) {
            case VARCHAR:
                return Schema.create(Schema.Type.STRING);
            case INTEGER:
                return Schema.create(Schema.Type.INT);
            case BIGINT:
            case TIMESTAMP_WITH_LOCAL_TIME_ZONE:
                return Schema.create(Schema.Type.LONG);
            case BOOLEAN:
                return Schema.create(Schema.Type.BOOLEAN);
            case ARRAY:
                return Schema.createArray(toSchema(((ArrayType) type).getElementType()));
            case MAP:
                return Schema.createMap(toSchema(((MapType) type).getValueType()));
            case ROW:
                SchemaBuilder.FieldAssembler<Schema> record = SchemaBuilder.record("record").fields();
                for (RowType.RowField field : ((RowType) type).getFields()) {
                    record = record.name(field.getName()).type(toSchema(field.getType())).noDefault();
                }
                return record.endRecord();
            default:
                throw new IllegalArgumentException("alerts-avro reads no column of type " + type.asSummaryString());
        }
    }

    private AvroReader.Column columns(Schema writer) {
        return AvroReader.record(writer, type, metadataFields);
    }

    /** The row of a broken record. */
    GenericRowData emptyRow() {
        GenericRowData row = new GenericRowData(type.getFieldCount() + metadataFields);
        Object[] values = AvroReader.emptyValues(type);
        for (int i = 0; i < values.length; i++) {
            row.setField(i, values[i]);
        }
        return row;
    }

    GenericRowData read(byte[] message) throws IOException {
        AvroReader in = new AvroReader(message, registry == null ? 0 : CONFLUENT_HEADER, longestText);
        GenericRowData row = (GenericRowData) (registry == null ? own : registered(message)).read(in);
        in.end();
        return row;
    }

    private AvroReader.Column registered(byte[] message) throws IOException {
        if (message.length <= CONFLUENT_HEADER || message[0] != 0) {
            throw new BrokenRecord("not decodable: it does not begin with a schema id");
        }
        int id = ByteBuffer.wrap(message, 1, Integer.BYTES).getInt();
        AvroReader.Column column = known.get(id);
        if (column == null) {
            column = find(id, message);
            known.put(id, column);
        }
        return column;
    }

    /** Asks the registry; that it is out of reach fails the job, which tries again: the record may be a good one. */
    private AvroReader.Column find(int id, byte[] message) throws IOException {
        Schema schema;
        try {
            schema = registry.readSchema(new ByteArrayInputStream(message));
        } catch (IOException e) {
            if (e.getCause() instanceof RestClientException
                    && ((RestClientException) e.getCause()).getErrorCode() == NO_SUCH_SCHEMA) {
                throw new BrokenRecord("not decodable: the registry has no schema " + id);
            }
            throw e;
        }
        try {
            return columns(schema);
        } catch (RuntimeException | StackOverflowError e) {
            throw new BrokenRecord("not decodable: schema " + id + " does not fit the table: " + e.getMessage());
        }
    }
}
