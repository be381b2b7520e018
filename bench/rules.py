"""How quick changes of authorizations and settings come into force: `python -m bench rules`."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from account_alerts.config import PREFIX, load
from bench import feed, report, rule_changes, state
from bench.chain import Chain, started
from bench.latency import Load, paced, said
from devenv import ports
from operations.waiting import print_progress

_FLOW_ACCOUNTS = 1_000
_FLOW_RATE = 200.0
_FLOW_EXTRA_SECONDS = 60.0
_CHANGES_A_SECOND = 5.0


class Part(StrEnum):
    """What can be measured."""

    BULK = "bulk"
    VIEWERS_2000 = "viewers-2000"
    VIEWERS_5000 = "viewers-5000"
    MANY_ACCOUNTS = "many-accounts"
    SINGLE = "single"


_VIEWERS = {Part.BULK: 0, Part.VIEWERS_2000: 2_000, Part.VIEWERS_5000: 5_000}


def main(
    parts: Annotated[
        list[Part] | None, typer.Argument(help="All without an argument.", show_default=False)
    ] = None,
    accounts: Annotated[int, typer.Option(min=100, help="And as many customers, written at once.")] = 20_000,
    customer_accounts: Annotated[
        int, typer.Option(min=1, help="Of the one customer of many-accounts.")
    ] = 500,
    changes: Annotated[int, typer.Option(min=2, help="Of many-accounts, and of single.")] = 100,
    booked: Annotated[
        int,
        typer.Option(min=1, help="Each so many-th account of bulk has a booking right behind; each alerts."),
    ] = 1,
    rounds: Annotated[int, typer.Option(min=1)] = 1,
    backend: Annotated[
        list[state.Backend] | None, typer.Option(help="Flink's state backends. Default: both.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(help="A checkout of another version, installed (.venv): measured in turns."),
    ] = None,
    against_accounts: Annotated[
        int | None, typer.Option(min=100, help="Accounts for that one; default: as many.")
    ] = None,
    patience: Annotated[float, typer.Option(help="Seconds until rules must have caught up.")] = 1_800,
    name: Annotated[str, typer.Option(help="Results: bench/results/<date>-<name>.json.")] = "rules",
) -> None:
    """Measure how many records of authorizations and settings a second are taken in, and what bookings miss.

    bulk: accounts and customers written at once, a booking for each right behind. viewers-N: the same, and N
    of the customers ask about one account. many-accounts: one customer's settings of hundreds of accounts
    change again and again. single: one setting after the other changes while bookings flow. A load counts as
    taken in when a booking on the account of its last record raises an alert: the effect delay of half a
    second is in the time, so a quick machine wants more accounts, and so are the alerts of the bookings
    before it: `--booked 100` has fewer. Records are written to the topics:
    by-passed are the bank's database, change data capture, the publisher, the bridge and the senders.
    """
    sizes = {"ours": accounts, "theirs": against_accounts or accounts}
    result: report.Result = {"machine": report.machine(), "runs": []}
    began = time.monotonic()
    for number in range(rounds):
        for one in backend or list(state.Backend):
            systems: dict[str, AbstractContextManager[Chain]] = {"ours": _ours(one)}
            if against:
                systems["theirs"] = _theirs(against.resolve(), one)
            for side, system in systems.items():
                print_progress(f"round {number + 1}: {side}, {one}")
                with system as chain:
                    for part in parts or list(Part):
                        found = _measure(
                            part, chain, sizes[side], booked, customer_accounts, changes, patience
                        )
                        print_progress(f"{part}: {found}")
                        result["runs"].append({"side": side, "backend": one, "part": part, **found})
                        result["minutes"] = round((time.monotonic() - began) / 60, 1)
                        report.write(result, name)
    print_progress(f"-> {report.write(result, name)}")
    typer.echo(tables(result["runs"]))


def _measure(
    part: Part,
    chain: Chain,
    accounts: int,
    booked: int,
    customer_accounts: int,
    changes: int,
    patience: float,
) -> dict[str, Any]:
    config = chain.config
    prefix = f"{part}-{chain.take_bookings(1)}"
    if part == Part.SINGLE:
        feed.write_accounts(config, _FLOW_ACCOUNTS)
        seconds = changes / _CHANGES_A_SECOND + _FLOW_EXTRA_SECONDS
        with paced(chain, Load(_FLOW_RATE, 0.1), seconds, _FLOW_ACCOUNTS) as process:
            said(process)
            return asdict(rule_changes.run_single(config, prefix, changes, _CHANGES_A_SECOND))
    if part == Part.MANY_ACCOUNTS:
        bulk = rule_changes.many_accounts(config, prefix, customer_accounts, changes)
    else:
        bulk = rule_changes.bulk(config, prefix, accounts, min(_VIEWERS[part], accounts), booked)
    try:
        return asdict(rule_changes.run_bulk(config, bulk, prefix, patience))
    except rule_changes.TooSlowError as error:
        return {"error": str(error)}


def _ours(backend: state.Backend) -> AbstractContextManager[Chain]:
    return started({"alerting": {"state_backend": str(backend)}}, lambda config: None)


@contextmanager
def _theirs(checkout: Path, backend: state.Backend) -> Iterator[Chain]:
    """Another version's environment, started by its own commands; its topics are the same."""
    folder = Path(tempfile.mkdtemp(prefix="alerts-bench-"))
    config = ports.throw_away(load(), folder / "state")
    chain = Chain(config, folder / "bench.yaml")
    config.write(chain.file)
    local = config.local_environment()
    variables = {f"LOCAL__{key.upper()}": str(getattr(local, key)) for key in ports.CHAIN}
    variables |= {"LOCAL__STATE_DIR": str(local.state), "ALERTING__STATE_BACKEND": str(backend)}
    environment = {
        key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")
    }
    environment |= {f"{PREFIX}{key}": value for key, value in variables.items()}

    def alerts(command: str) -> None:
        # Its own words are progress; standard output is for results.
        program = [str(checkout / ".venv/bin/alerts"), command]
        subprocess.run(program, cwd=checkout, env=environment, stdout=sys.stderr, check=True)

    try:
        alerts("up")
        yield chain
    finally:
        alerts("down")
        shutil.rmtree(folder, ignore_errors=True)


def tables(runs: list[report.Result]) -> str:
    """Return the results as Markdown, with ratios of the medians where another version was measured."""
    complete = [run for run in runs if "error" not in run]
    loads = [run for run in complete if run["part"] != Part.SINGLE]
    singles = [run for run in complete if run["part"] == Part.SINGLE]
    parts = []
    if loads:
        keys = ("records", "seconds", "records_per_second", "alerts_expected", "alerts_missing")
        head = "part|backend|side|records|s|records/s|alerts|missing|waited s: p50, most"
        rows = [
            [
                *_names(run),
                *(f"{run[key]:,}" for key in keys),
                f"{run['waited_p50']:g}, {run['waited_max']:g}",
            ]
            for run in loads
        ]
        parts.append(report.table(head.split("|"), rows))
    if singles:
        head = "part|backend|side|changes|never|missing|in force ms: p50, p99, most|heard of"
        rows = [
            [
                *_names(run),
                *(str(run[key]) for key in ("changes", "never", "missing")),
                *(", ".join(f"{value:g}" for value in run[key]) for key in ("in_force", "heard_of")),
            ]
            for run in singles
        ]
        parts.append(report.table(head.split("|"), rows))
    rates: dict[tuple[str, str], dict[str, list[float]]] = {}
    for run in loads:
        of = rates.setdefault((run["part"], run["backend"]), {})
        of.setdefault(run["side"], []).append(run["records_per_second"])
    ratios = [
        [part, backend, f"{median(sides['ours']) / median(sides['theirs']):.1f}"]
        for (part, backend), sides in rates.items()
        if len(sides) == 2
    ]
    if ratios:
        parts.append(report.table(["part", "backend", "ours / theirs, records/s"], ratios))
    return "\n\n".join(parts)


def _names(run: report.Result) -> list[str]:
    return [run["part"], run["backend"], run["side"]]
