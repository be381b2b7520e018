package alerts.devices;

import java.time.Duration;
import java.util.List;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.ThreadSafeSimpleCounter;
import org.apache.flink.streaming.api.functions.async.ResultFuture;
import org.apache.flink.streaming.api.functions.async.RichAsyncFunction;
import org.apache.flink.types.Row;

/**
 * For Flink's async I/O: gives each row one more column, last: the devices of its customer (column 'customer_id'), as
 * the JSON array that the device service answered. A row whose customer has none is counted and ends here; one without
 * a customer passes, with no devices.
 *
 * <p>It never gives up and never fails: while the service is slow or away, rows wait, and the operator's checkpoints
 * hold them. So it is to be used without a time-out of the operator's own. Rows of one customer come out in the order
 * in which they went in.
 */
public final class AskDevices extends RichAsyncFunction<Row, Row> implements ResultTypeQueryable<Row> {
    private static final long serialVersionUID = 1L;
    private static final String CUSTOMER = "customer_id";

    private final String url;
    private final String token;
    private final long timeout;
    private final int attempts;
    private final long longestPause;
    private final int inFlight;
    private final long cache;
    private final TypeInformation<Row> producedType;
    private transient Lookups lookups;
    private transient Counter withoutDevice;

    /** All times are milliseconds; 'token' may be null. */
    public AskDevices(
            String url,
            String token,
            long timeout,
            int attempts,
            long longestPause,
            int inFlight,
            long cache,
            TypeInformation<Row> producedType) {
        this.url = url;
        this.token = token;
        this.timeout = timeout;
        this.attempts = attempts;
        this.longestPause = longestPause;
        this.inFlight = inFlight;
        this.cache = cache;
        this.producedType = producedType;
    }

    @Override
    public void open(OpenContext context) {
        MetricGroup metrics = getRuntimeContext().getMetricGroup();
        DeviceService service = new DeviceService(url, token, Duration.ofMillis(timeout));
        lookups = new Lookups(service, new Lookups.Patience(attempts, longestPause), inFlight, cache, metrics);
        withoutDevice = metrics.counter(
                "account_alerts_device_resolver_alerts_without_device_total", new ThreadSafeSimpleCounter());
    }

    @Override
    public void asyncInvoke(Row row, ResultFuture<Row> result) {
        String customer = row.getFieldAs(CUSTOMER);
        if (customer == null) {
            result.complete(List.of(Row.join(row, Row.of((Object) null))));
            return;
        }
        lookups.ask(customer, devices -> {
            if (devices.equals(DeviceService.NONE)) {
                withoutDevice.inc();
                result.complete(List.of());
            } else {
                result.complete(List.of(Row.join(row, Row.of(devices))));
            }
        });
    }

    @Override
    public void close() {
        if (lookups != null) {
            lookups.close();
        }
    }

    @Override
    public TypeInformation<Row> getProducedType() {
        return producedType;
    }
}
