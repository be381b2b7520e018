package alerts.format;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/**
 * The format 'alerts-avro': reads Avro records by the columns of the table, and a record that cannot be read is a row
 * as well: its columns are empty, its metadata says why ('decode-error') and carries its bytes ('bytes').
 *
 * <p>Options: 'alerts-avro.encoding' = 'avro' (bare binary) or 'avro-confluent' (with 'alerts-avro.url' of a Schema
 * Registry); 'alerts-avro.broken-records' = 'as-rows' or 'skip'; 'alerts-avro.largest-record' and 'alerts-avro.longest-text'
 * in bytes, beyond which a record is a broken one.
 */
public final class AlertsAvroFormatFactory implements DeserializationFormatFactory {
    private static final ConfigOption<String> ENCODING =
            ConfigOptions.key("encoding").stringType().defaultValue("avro");
    private static final ConfigOption<String> URL = ConfigOptions.key("url").stringType().noDefaultValue();
    private static final ConfigOption<String> BROKEN =
            ConfigOptions.key("broken-records").stringType().defaultValue("as-rows");
    private static final ConfigOption<Integer> LARGEST_RECORD =
            ConfigOptions.key("largest-record").intType().defaultValue(Integer.MAX_VALUE);
    private static final ConfigOption<Integer> LONGEST_TEXT =
            ConfigOptions.key("longest-text").intType().defaultValue(Integer.MAX_VALUE);

    @Override
    public String factoryIdentifier() {
        return "alerts-avro";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of();
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of(ENCODING, URL, BROKEN, LARGEST_RECORD, LONGEST_TEXT);
    }

    @Override
    public DecodingFormat<DeserializationSchema<RowData>> createDecodingFormat(
            DynamicTableFactory.Context context, ReadableConfig options) {
        FactoryUtil.validateFactoryOptions(this, options);
        String encoding = choice(options, ENCODING, "avro", "avro-confluent");
        boolean skip = choice(options, BROKEN, "as-rows", "skip").equals("skip");
        boolean confluent = encoding.equals("avro-confluent");
        if (confluent && options.getOptional(URL).isEmpty()) {
            throw new ValidationException("alerts-avro.encoding = 'avro-confluent' needs alerts-avro.url");
        }
        return new Format(
                confluent ? options.get(URL) : null, skip, options.get(LARGEST_RECORD), options.get(LONGEST_TEXT));
    }

    private static String choice(ReadableConfig options, ConfigOption<String> option, String one, String other) {
        String value = options.get(option);
        if (!value.equals(one) && !value.equals(other)) {
            throw new ValidationException(
                    "alerts-avro." + option.key() + " is '" + value + "'; it can be '" + one + "' or '" + other + "'");
        }
        return value;
    }

    private static final class Format implements DecodingFormat<DeserializationSchema<RowData>> {
        private final String registryUrl;
        private final boolean skip;
        private final int largestRecord;
        private final int longestText;
        private List<String> metadata = new ArrayList<>();

        Format(String registryUrl, boolean skip, int largestRecord, int longestText) {
            this.registryUrl = registryUrl;
            this.skip = skip;
            this.largestRecord = largestRecord;
            this.longestText = longestText;
        }

        @Override
        public Map<String, DataType> listReadableMetadata() {
            Map<String, DataType> types = new LinkedHashMap<>();
            types.put(AlertsAvroDeserializer.DECODE_ERROR, DataTypes.STRING());
            types.put(AlertsAvroDeserializer.BYTES, DataTypes.BYTES());
            return types;
        }

        @Override
        public void applyReadableMetadata(List<String> keys) {
            metadata = keys;
        }

        @Override
        public DeserializationSchema<RowData> createRuntimeDecoder(DynamicTableSource.Context context, DataType columns) {
            List<DataTypes.Field> produced = new ArrayList<>();
            RowType rowType = (RowType) columns.getLogicalType();
            for (int i = 0; i < rowType.getFieldCount(); i++) {
                produced.add(DataTypes.FIELD(rowType.getFieldNames().get(i), columns.getChildren().get(i)));
            }
            for (String key : metadata) {
                produced.add(DataTypes.FIELD("metadata " + key, listReadableMetadata().get(key)));
            }
            DataType row = DataTypes.ROW(produced.toArray(new DataTypes.Field[0])).notNull();
            return new AlertsAvroDeserializer(
                    rowType,
                    metadata,
                    context.createTypeInformation(row),
                    registryUrl,
                    skip,
                    largestRecord,
                    longestText);
        }

        @Override
        public ChangelogMode getChangelogMode() {
            return ChangelogMode.insertOnly();
        }
    }
}
