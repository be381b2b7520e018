package alerts.clock;

import java.time.Duration;
import java.util.Set;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamSource;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.ProviderContext;
import org.apache.flink.table.connector.source.DataStreamScanProvider;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.connector.source.abilities.SupportsWatermarkPushDown;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;

/**
 * The connector 'clock': a table of one column, the time (TIMESTAMP_LTZ(3), or BIGINT for milliseconds since 1970), with a
 * row every 'interval'.
 *
 * <p>Flink's own 'datagen' gives the rows of a second all at once; these come evenly, and their watermarks with them.
 */
public final class ClockTableFactory implements DynamicTableSourceFactory {
    private static final ConfigOption<Duration> INTERVAL =
            ConfigOptions.key("interval").durationType().noDefaultValue();
    private static final LogicalTypeRoot[] TYPES = {
        LogicalTypeRoot.TIMESTAMP_WITH_LOCAL_TIME_ZONE, LogicalTypeRoot.BIGINT
    };

    @Override
    public String factoryIdentifier() {
        return "clock";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(INTERVAL);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of(FactoryUtil.WATERMARK_EMIT_STRATEGY);
    }

    @Override
    public DynamicTableSource createDynamicTableSource(Context context) {
        FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
        helper.validate();
        Duration interval = helper.getOptions().get(INTERVAL);
        DataType columns = context.getPhysicalRowDataType();
        if (interval.toMillis() < 1) {
            throw new ValidationException("interval is " + interval.toNanos() + " ns; it can be 1 ms or more");
        }
        if (columns.getChildren().size() != 1 || !columns.getChildren().get(0).getLogicalType().isAnyOf(TYPES)) {
            throw new ValidationException("a clock has one column, of type TIMESTAMP_LTZ(3) or BIGINT");
        }
        return new Clock(
                context.getObjectIdentifier().getObjectName(), interval, columns, WatermarkStrategy.noWatermarks());
    }

    private static RowData row(boolean number) {
        long now = System.currentTimeMillis();
        return GenericRowData.of(number ? (Object) now : TimestampData.fromEpochMillis(now));
    }

    private static final class Clock implements ScanTableSource, SupportsWatermarkPushDown {
        private final String table;
        private final Duration interval;
        private final DataType columns;
        private WatermarkStrategy<RowData> watermarks;

        Clock(String table, Duration interval, DataType columns, WatermarkStrategy<RowData> watermarks) {
            this.table = table;
            this.interval = interval;
            this.columns = columns;
            this.watermarks = watermarks;
        }

        @Override
        public void applyWatermark(WatermarkStrategy<RowData> strategy) {
            watermarks = strategy;
        }

        @Override
        public ScanRuntimeProvider getScanRuntimeProvider(ScanContext scan) {
            TypeInformation<RowData> type = scan.createTypeInformation(columns);
            boolean number = columns.getChildren().get(0).getLogicalType().is(LogicalTypeRoot.BIGINT);
            DataGeneratorSource<RowData> source = new DataGeneratorSource<>(
                    index -> row(number),
                    Long.MAX_VALUE,
                    RateLimiterStrategy.perSecond(1e9 / interval.toNanos()),
                    type);
            return new DataStreamScanProvider() {
                @Override
                public DataStream<RowData> produceDataStream(
                        ProviderContext provider, StreamExecutionEnvironment environment) {
                    DataStreamSource<RowData> rows = environment.fromSource(source, watermarks, table, type);
                    provider.generateUid(table).ifPresent(rows::uid);
                    return rows.setParallelism(1);
                }

                @Override
                public boolean isBounded() {
                    return false;
                }
            };
        }

        @Override
        public ChangelogMode getChangelogMode() {
            return ChangelogMode.insertOnly();
        }

        @Override
        public DynamicTableSource copy() {
            return new Clock(table, interval, columns, watermarks);
        }

        @Override
        public String asSummaryString() {
            return "clock every " + interval.toMillis() + " ms";
        }
    }
}
