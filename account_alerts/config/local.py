"""The local environment: what `alerts up` starts, and where."""

from pathlib import Path
from typing import Self

from pydantic import (
    model_validator,
)

from account_alerts.config.types import Memory, Port, Positive, Section
from account_alerts.installation import PROJECT


class Local(Section):
    """The local environment: ports, memory, and the one folder that holds its state and logs."""

    state_dir: Path
    kafka_port: Port
    kafka_controller_port: Port
    flink_rest_port: Port
    flink_rpc_port: Port
    jobmanager_memory: Memory
    taskmanager_memory: Memory
    task_slots: Positive
    kafka_heap: Memory
    connect_heap: Memory = "512m"
    quick_java: bool = False
    """Java compiles by its quick compiler only: right for what lives for minutes, such as the demo."""
    postgres_port: Port
    connect_port: Port
    queue_port: Port
    clicks_port: Port
    devices_port: Port
    mailbox_port: Port
    smsc_port: Port
    sms_http_port: Port
    push_port: Port
    email_metrics_port: Port
    sms_metrics_port: Port
    push_metrics_port: Port
    profiles_metrics_port: Port
    clicks_metrics_port: Port
    web_port: Port
    web_metrics_port: Port
    openid_port: Port

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.ports().values())) < len(self.ports()):
            raise ValueError(f"two of the ports are the same: {self.ports()}")
        return self

    def ports(self) -> dict[str, int]:
        """Return every port that is opened, by its key."""
        return {key: getattr(self, key) for key in type(self).model_fields if key.endswith("_port")}

    @property
    def state(self) -> Path:
        """The state folder as an absolute path."""
        return (PROJECT / self.state_dir).resolve()
