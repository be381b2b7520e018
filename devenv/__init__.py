"""The local environment: a real broker and a real Flink cluster on this machine, started and stopped as one.

`up` and `down` in `devenv.environment`, re-exported here, are all that others need.
"""

from account_alerts.model.errors import OperationError
from devenv.environment import down, up
from devenv.ports import throw_away

__all__ = ["OperationError", "down", "throw_away", "up"]
