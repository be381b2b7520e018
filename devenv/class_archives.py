"""Makes archives of the classes that the local environment's Java programs load: `make install` runs it.

A program that has one starts with about half the work. An environment is started on throw-away state, without
jobs; each of its Java programs writes its archive when it ends.
"""

import os
import signal
import sys
import tempfile
from pathlib import Path

from account_alerts import installation
from account_alerts.config import load
from account_alerts.model.errors import AlertsError
from account_alerts.service.process import configure_logging
from devenv import environment, ports
from operations.interruption import interruptible


def make() -> None:
    """Replace all archives.

    Raises:
        OperationError: The environment does not start.
    """
    installation.CLASS_ARCHIVES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=installation.SHARE) as folder,
        interruptible((signal.SIGTERM, signal.SIGHUP)),
    ):
        os.environ[installation.RECORD_CLASSES] = folder
        config = ports.throw_away(load(installation.PROJECT / "conf/local.yaml"), Path(folder) / "state")
        try:
            environment.up(config.override({"local": {"quick_java": True}}), full=True, jobs=False)
        finally:
            environment.down(config)
        for archive in Path(folder).glob("*.jsa"):
            archive.replace(installation.CLASS_ARCHIVES / archive.name)


if __name__ == "__main__":
    configure_logging()
    try:
        make()
    except AlertsError as error:
        sys.exit(str(error))
