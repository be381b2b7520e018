"""The local environment: a real broker and a real Flink cluster on this machine, started and stopped as one.

`up` and `down` in `account_alerts.local.environment`, re-exported here, are all that others need.
"""

from account_alerts.local.environment import down, up
from account_alerts.local.errors import LocalError
from account_alerts.local.ports import throw_away

__all__ = ["LocalError", "down", "throw_away", "up"]
