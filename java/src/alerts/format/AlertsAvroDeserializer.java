package alerts.format;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;

/**
 * One Kafka value to one row. A fresh {@link AvroReader} per record, so that a broken one leaves nothing behind, and
 * its error is data: Flink's own formats throw, and what their decoder had buffered spoils the records that follow.
 */
final class AlertsAvroDeserializer implements DeserializationSchema<RowData> {
    static final String DECODE_ERROR = "decode-error";
    static final String BYTES = "bytes";

    private static final long serialVersionUID = 1L;

    private final RowType type;
    private final ArrayList<String> metadata;
    private final TypeInformation<RowData> producedType;
    private final String registryUrl;
    private final boolean skip;
    private final int largestRecord;
    private final int longestText;
    private transient WriterSchemas writers;

    AlertsAvroDeserializer(
            RowType type,
            List<String> metadata,
            TypeInformation<RowData> producedType,
            String registryUrl,
            boolean skip,
            int largestRecord,
            int longestText) {
        this.type = type;
        this.metadata = new ArrayList<>(metadata);
        this.producedType = producedType;
        this.registryUrl = registryUrl;
        this.skip = skip;
        this.largestRecord = largestRecord;
        this.longestText = longestText;
    }

    @Override
    public void open(InitializationContext context) {
        writers = new WriterSchemas(type, metadata.size(), registryUrl, longestText);
    }

    @Override
    public void deserialize(byte[] message, Collector<RowData> out) throws IOException {
        RowData row = deserialize(message);
        if (row != null) {
            out.collect(row);
        }
    }

    @Override
    public RowData deserialize(byte[] message) throws IOException {
        String error = null;
        GenericRowData row;
        try {
            row = read(message);
        } catch (BrokenRecord e) {
            if (skip) {
                return null;
            }
            error = e.getMessage();
            row = writers.emptyRow();
        }
        for (int i = 0; i < metadata.size(); i++) {
            Object reason = error == null ? null : StringData.fromString(error);
            row.setField(type.getFieldCount() + i, metadata.get(i).equals(BYTES) ? message : reason);
        }
        return row;
    }

    private GenericRowData read(byte[] message) throws IOException {
        if (message == null) {
            throw new BrokenRecord("the record has no value");
        }
        if (message.length == 0) {
            throw new BrokenRecord("the record is empty");
        }
        if (message.length > largestRecord) {
            throw new BrokenRecord("the record is longer than " + largestRecord + " bytes");
        }
        return writers.read(message);
    }

    @Override
    public boolean isEndOfStream(RowData nextElement) {
        return false;
    }

    @Override
    public TypeInformation<RowData> getProducedType() {
        return producedType;
    }
}
