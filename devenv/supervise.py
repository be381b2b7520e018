"""The supervisor (supervisord) and the processes of an environment.

The supervisor restarts what dies. Should it die itself, its processes are still found by the mark they carry.
"""

import os
import pwd
import re
import shlex
import subprocess
from collections.abc import Mapping

import psutil

from account_alerts import installation
from account_alerts.model.errors import OperationError
from devenv.layout import MARK, PROGRAM, Layout

SUPERVISOR = "supervisor"
_STOP_SECONDS = 10
_RECORD_SECONDS = 120

_HEAD = """\
[supervisord]
logfile={log}
logfile_maxbytes=5MB
logfile_backups=2
loglevel=info
pidfile={state}/supervisord.pid
childlogdir={logs}
identifier=alerts
user={user}
nodaemon=true
"""

_PROGRAM = """
[program:{name}]
command=/bin/sh -c {command}
environment={variable}="{name}"
autostart=true
autorestart=true
startsecs=1
startretries=1000000
stopsignal={signal}
stopasgroup={group}
killasgroup=true
stopwaitsecs={stop}
redirect_stderr=true
stdout_logfile={logs}/{name}.out
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=1
"""


def write(layout: Layout, commands: Mapping[str, str], stop_signals: Mapping[str, str]) -> None:
    """Write the supervisor's configuration.

    Args:
        layout: The environment's files.
        commands: The shell command of each program, by name.
        stop_signals: The signals that end programs in order, by name, where they are not TERM. TERM goes to a
            program's children, too; another one means something else to them.
    """

    def literal(text: object) -> str:
        return str(text).replace("%", "%%")  # The supervisor expands %(...)s.

    text = _HEAD.format(
        log=literal(layout.supervisor_log),
        state=literal(layout.state),
        logs=literal(layout.logs),
        user=pwd.getpwuid(os.geteuid()).pw_name,
    )
    for name, command in commands.items():
        text += _PROGRAM.format(
            name=name,
            command=literal(shlex.quote(command)),
            variable=PROGRAM,
            signal=stop_signals.get(name, "TERM"),
            group=str(stop_signals.get(name, "TERM") == "TERM").lower(),
            stop=_stop_seconds(),
            logs=literal(layout.logs),
        )
    layout.supervisor_conf.write_text(text)


def programs(layout: Layout) -> list[str]:
    """Return the names of the programs that the supervisor was last told to run."""
    try:
        return re.findall(r"^\[program:(\w+)\]$", layout.supervisor_conf.read_text(), re.MULTILINE)
    except FileNotFoundError:
        return []


def start(layout: Layout) -> None:
    """Start the supervisor, and by it all programs; they outlive this process."""
    with (layout.logs / "supervisor.out").open("a") as out:
        subprocess.Popen(
            [str(installation.VENV / "bin/supervisord"), "-n", "-c", str(layout.supervisor_conf)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=layout.state,
            env=layout.environment(SUPERVISOR),
        )


def processes(layout: Layout) -> dict[str, list[psutil.Process]]:
    """Return all live processes of this environment, by program."""
    found: dict[str, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            if environment.get(MARK) == str(layout.state) and process.status() != psutil.STATUS_ZOMBIE:
                found.setdefault(environment.get(PROGRAM, ""), []).append(process)
        except (psutil.Error, OSError):
            continue  # Ended meanwhile, or another user's.
    return found


def supervisor(layout: Layout) -> psutil.Process | None:
    """Return the running supervisor, if there is one."""
    return next(iter(processes(layout).get(SUPERVISOR, [])), None)


def stop(layout: Layout) -> int:
    """Stop every process of this environment; return how many there were.

    First the supervisor, which would restart the others and stops them in order; then whoever is left.
    """
    own = {parent.pid for parent in (psutil.Process(), *psutil.Process().parents())}
    count = len(_others(layout, own))
    leader = supervisor(layout)
    if leader is not None:
        _end([leader], _stop_seconds() + 5)
    # A process may have been started while the list was made: look again until there is none.
    for _ in range(5):
        left = _others(layout, own)
        if not left:
            return count
        _end(left, _stop_seconds())
    raise OperationError(
        f"Processes cannot be stopped: {sorted(process.pid for process in _others(layout, own))}"
    )


def _stop_seconds() -> int:
    """How long a program may take to end; one that writes an archive of its classes takes longer."""
    return _RECORD_SECONDS if installation.RECORD_CLASSES in os.environ else _STOP_SECONDS


def _others(layout: Layout, own: set[int]) -> list[psutil.Process]:
    return [process for group in processes(layout).values() for process in group if process.pid not in own]


def _end(targets: list[psutil.Process], seconds: float) -> None:
    """Ask processes to end, and kill those that have not after a while."""
    for process in targets:
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            continue
    _, alive = psutil.wait_procs(targets, timeout=seconds)
    for process in alive:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(alive, timeout=5)


def restarts(layout: Layout) -> dict[str, int]:
    """Count how often each program was started again since the supervisor runs."""
    try:
        log = layout.supervisor_log.read_text(errors="replace")
    except FileNotFoundError:
        return {}
    current = log.rsplit("supervisord started with pid", 1)[-1]
    counts: dict[str, int] = {}
    for name in re.findall(r"spawned: '(\w+)'", current):
        counts[name] = counts.get(name, -1) + 1
    return counts
