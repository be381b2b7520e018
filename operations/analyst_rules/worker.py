"""Carries out what is asked for about analysts' rules, one request at a time, by the command line.

Each request is a process of its own (`alerts rules ...`): a compilation needs Flink's planner, whose memory
would stay. Several workers may run; a request is begun by one.
"""

import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from account_alerts.config import PREFIX, Config
from account_alerts.model.errors import AlertsError
from operations.analyst_rules import requests
from operations.analyst_rules.requests import LOST_SECONDS, RuleAction, RuleRequest

_INTERVAL = 1.0
_AWAY_INTERVAL = 10.0
_LONGEST_OUTCOME = 20_000
_COMMANDS = {
    RuleAction.TEST: ("test",),
    RuleAction.BACK_TEST: ("back-test", "--json"),
    RuleAction.START: ("start",),
    RuleAction.STOP: ("stop",),
    RuleAction.RESUME: ("resume",),
    RuleAction.DISCARD: ("discard",),
}
_ABOUT_TEXT = frozenset({RuleAction.TEST, RuleAction.BACK_TEST, RuleAction.START})
"""What needs the rule's text; the others need its name."""
_log = logging.getLogger("rule requests")


def watch(config: Config) -> None:
    """Carry out requests until stopped; the bank's database away is waited out."""
    reported = ""
    while True:
        pause = _INTERVAL
        try:
            while work(config):
                reported = ""
        except (AlertsError, psycopg.Error) as error:
            pause = _AWAY_INTERVAL
            if str(error) != reported:  # It may be so for hours.
                reported = str(error)
                _log.warning("%s", reported)
        except Exception:  # What analysts ask for must not hang on one surprise.
            _log.exception("cannot carry out what is asked for about rules")
        time.sleep(pause)


def work(config: Config) -> bool:
    """Carry out one request; return whether there was one.

    Raises:
        DatabaseError: The bank's database is away.
    """
    request = requests.claim(config)
    if request is None:
        return False
    _log.info("%s %s, request %s", request.action, request.rule, request.id)
    succeeded, outcome = _run(config, request)
    requests.finish(config, request.id, succeeded=succeeded, outcome=outcome)
    return True


def _run(config: Config, request: RuleRequest) -> tuple[bool, str]:
    with tempfile.TemporaryDirectory() as folder:
        # The text that was asked for, whatever its file has become meanwhile.
        file = Path(folder) / f"{request.rule}.sql"
        file.write_text(request.sql, encoding="utf-8")
        subject = str(file) if request.action in _ABOUT_TEXT else request.rule
        command = [sys.executable, "-m", "alerts_cli", "rules", *_COMMANDS[request.action], subject]
        environment = {**os.environ, f"{PREFIX}CONFIG": str(config.path)}
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=LOST_SECONDS - 60,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False, f"It was not done within {LOST_SECONDS - 60} s."
    said = done.stdout if done.returncode == 0 else done.stderr.strip() or done.stdout
    return done.returncode == 0, said.strip().replace(f"{folder}/", "")[-_LONGEST_OUTCOME:]
