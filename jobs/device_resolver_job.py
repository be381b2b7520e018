"""Push alerts to devices: each alert of `outbound-push` becomes one per device of its customer, in
`outbound-device-push`. A remote service knows the devices; it is asked by Flink's async I/O. What cannot be
used goes to `dead-letters`.

    flink run -py jobs/device_resolver_job.py --config conf/local.yaml     on a cluster
    python jobs/device_resolver_job.py --config conf/local.yaml            in this process
    python jobs/device_resolver_job.py --explain                           prints the plan and runs nothing
"""

from pyflink.common import Types
from pyflink.datastream import DataStream
from pyflink.java_gateway import get_gateway
from pyflink.table import DataTypes, StatementSet, StreamTableEnvironment
from pyflink.table.udf import udtf

from account_alerts.config import Config
from account_alerts.config.jobs import Devices
from jobs import catalog
from jobs.options import configure
from jobs.runner import run
from jobs.sql import create_view, keep_dead_letters, statement
from udfs.device_resolver.alerts import device_alerts

_BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())
_REASON = Types.ROW_NAMED(
    ["setting_id", "alert_type", "threshold_minor", "count", "window_minutes"],
    [Types.STRING(), Types.STRING(), Types.LONG(), Types.INT(), Types.INT()],
)
_COLUMNS = {
    **dict.fromkeys(("alert_id", "customer_id", "channel", "alert_type", "account_id"), Types.STRING()),
    **dict.fromkeys(("currency", "entry_id", "setting_id"), Types.STRING()),
    **dict.fromkeys(("booked_at", "raised_at"), Types.LONG()),
    "language": Types.STRING(),
    "params": Types.MAP(Types.STRING(), Types.STRING()),
    "reasons": Types.OBJECT_ARRAY(_REASON),
    "reason": Types.STRING(),
    **dict.fromkeys(("customer_key", "record"), _BYTES),
    "source_partition": Types.INT(),
    "source_offset": Types.LONG(),
    "devices": Types.STRING(),
}
RESOLVED = Types.ROW_NAMED(list(_COLUMNS), list(_COLUMNS.values()))
"""A row of sql/device_resolver/push_alerts.sql, and the customer's devices as JSON."""


def options(config: Config) -> dict[str, str]:
    """Flink's options for this job."""
    job = config.require("devices")
    return {
        "pipeline.name": catalog.DEVICE_RESOLVER,
        "parallelism.default": str(job.parallelism),
        # Few records: each goes at once, and no thread has to look every millisecond whether there is one.
        "execution.buffer-timeout.interval": "0 ms",
        "execution.checkpointing.interval": f"{job.checkpoint_interval} ms",
        # There is none while more wait for the service than the operator holds: no reason to restart.
        "execution.checkpointing.tolerable-failed-checkpoints": "1000000",
        "execution.checkpointing.timeout": "60 s",
        "python.execution-mode": "thread",
    }


def build(table_env: StreamTableEnvironment, config: Config) -> StatementSet:
    """Build the job as the data flows: push alerts, their customers' devices, an alert for each."""
    configure(table_env, options(config))
    for table in ("outbound_push", "outbound_alerts", "dead_letters"):
        table_env.execute_sql(statement(f"tables/{table}.sql", config))
    table_env.create_temporary_function(
        "device_alerts", udtf(device_alerts, result_types=[DataTypes.STRING()] * 2)
    )
    for view in ("device_resolver/checked_push", "device_resolver/push_alerts"):
        create_view(table_env, f"{view}.sql", config)

    alerts = table_env.to_data_stream(table_env.from_path("push_alerts"))
    resolved = ask_devices(alerts, config.require("devices")).name("ask devices").uid("ask-devices")

    table_env.create_temporary_view("resolved_alerts", table_env.from_data_stream(resolved))
    results = table_env.create_statement_set()
    results.add_insert_sql(statement("device_resolver/send_device_alerts.sql", config))
    push = config.topics.outbound_push
    results.add_insert_sql(keep_dead_letters(config, "resolved_alerts", "customer_key", push))
    return results


def ask_devices(alerts: DataStream, devices: Devices) -> DataStream:
    """Each alert with its customer's devices, by Flink's async I/O; where there is none, it ends here.

    The operator is Flink's own, with a function in Java: PyFlink's (2.3) runs only in a process of its own,
    lets nothing out before the slowest call of a bundle has ended, and makes no checkpoint meanwhile.
    """
    java = get_gateway().jvm
    function = java.alerts.devices.AskDevices(
        devices.url,
        devices.token.get_secret_value() if devices.token else None,
        devices.timeout,
        devices.attempts,
        devices.max_backoff,
        devices.in_flight,
        devices.cache,
        RESOLVED.get_java_type_info(),
    )
    # No time-out of its own, which would fail the job: the function never gives up. Unordered, so that a
    # customer for whom there is no answer holds up nobody else; one customer's alerts keep their order.
    return DataStream(
        java.org.apache.flink.streaming.api.datastream.AsyncDataStream.unorderedWait(
            alerts._j_data_stream,
            function,
            0,
            java.java.util.concurrent.TimeUnit.MILLISECONDS,
            devices.queue_capacity,
        )
    )


if __name__ == "__main__":
    run([build], __doc__)
