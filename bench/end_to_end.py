"""How long it takes from a booking on Kafka to the customer's gateway: `python -m bench end-to-end`.

The whole chain on free ports and throw-away state: customers in PostgreSQL, bookings on `account-entries`,
mails in a mailbox, SMS in an SMSC, pushes at a push service, all on this machine. `--smtp-away` takes the
mail server away for so many seconds in the middle: SMS and push must not notice, and every mail comes
afterwards, once.
"""

import json
import random
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psutil
import typer

from account_alerts.config import Config, load
from account_alerts.kafka.clients import producer
from account_alerts.model.alerts import Channel
from account_alerts.records.codec import Record, codec
from bench import report
from bench.measures import cpu_seconds
from demo.play import following, register_devices, wait_for_messages, wait_for_records
from demo.report import print_stages, stages
from demo.watch import Watch
from devenv import environment, ports, supervise
from devenv.bank import database
from devenv.layout import layout
from devenv.readiness import wait_for_rules
from operations.waiting import print_progress

_CURRENCY = "EUR"
_THRESHOLD, _ABOVE, _BELOW = 100_000, 100_001, 2_000
_CHANNELS = tuple(channel.value for channel in Channel)
_WARM_UP, _MEASURED = "w", "e"
"""How the ids of bookings begin."""


@dataclass(frozen=True)
class Options:
    """What is measured; rates a second, times in seconds."""

    rate: float
    seconds: float
    warm_up: float
    share: float
    customers: int
    smtp_away: float
    patience: float


def customers(count: int) -> list[Record]:
    """So many customers with an account each; they ask for mails, SMS and pushes in turn."""
    records: list[Record] = []
    for number in range(count):
        customer, account, channel = f"c{number}", f"A{number:06d}", _CHANNELS[number % len(_CHANNELS)]
        address = {"EMAIL": f"c{number}@example.com", "SMS": f"+9999{number:08d}", "PUSH": customer}[channel]
        setting = {
            "setting_id": "large",
            "account_id": account,
            "currency": _CURRENCY,
            "alert_type": "DEBITED_ABOVE",
            "channels": [channel],
            "threshold_minor": _THRESHOLD,
        }
        records += (
            {"account_id": account, "customer_ids": [customer]},
            {
                "customer_id": customer,
                "language": ("en", "nl", "de")[number % 7 % 3],
                "time_zone": "Europe/Amsterdam",
                "addresses": [{"channel": channel, "address": address}],
                "settings": [setting],
            },
        )
    return records


def bookings(prefix: str, count: int, people: int, share: float) -> Iterator[Record]:
    """Debits on accounts by chance; the share of them is above every threshold."""
    chance = random.Random(prefix)
    for number in range(count):
        yield {
            "entry_id": f"{prefix}{number}",
            "account_id": f"A{chance.randrange(people):06d}",
            "currency": _CURRENCY,
            "amount_minor": _ABOVE if chance.random() < share else _BELOW,
            "credit_debit": "DBIT",
            "balance_minor": 1_000_000,
            "entry_type": "CARD",
            **dict.fromkeys(("merchant_id", "merchant_name", "merchant_category", "country", "counterparty")),
            "description": None,
        }


def send_evenly(config: Config, entries: list[Record], rate: float) -> None:
    """Write bookings evenly spaced, each ready before: making them would take the measured ones' time."""
    encoder, topic = codec(config), config.topics.account_entries.name
    start = time.time() + len(entries) / 20_000
    ready = [
        (
            entry["account_id"].encode(),
            encoder.encode("AccountEntry", entry | {"booked_at": int((start + n / rate) * 1000)}, topic),
        )
        for n, entry in enumerate(entries)
    ]
    client = producer(config)
    for number, (key, value) in enumerate(ready):
        time.sleep(max(0.0, start + number / rate - time.time()))
        client.produce(topic, value, key)
        client.poll(0)
    assert client.flush(30) == 0


def wanted(entries: list[Record]) -> set[tuple[str, str, str, str]]:
    """Return the alerts that must come of the bookings."""
    found = set()
    for entry in entries:
        if entry["amount_minor"] > _THRESHOLD:
            number = int(entry["account_id"][1:])
            found.add((entry["entry_id"], f"c{number}", "large", _CHANNELS[number % len(_CHANNELS)]))
    return found


@contextmanager
def mail_server_away(config: Config) -> Iterator[None]:
    """Whoever calls the mail server meanwhile is hung up on; it cannot start, as its port is taken.

    The other gateways, of the same process, are back after a second.
    """
    [process] = supervise.processes(layout(config))["gateways"]
    with socket.socket() as port:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        process.kill()
        psutil.wait_procs([process], timeout=5)
        port.bind(("127.0.0.1", config.local_environment().mailbox_port))
        port.listen()
        threading.Thread(target=_hang_up, args=(port,), daemon=True).start()
        print_progress("the mail server is away")
        yield
        port.shutdown(socket.SHUT_RDWR)
    print_progress("the mail server comes back")


def _hang_up(port: socket.socket) -> None:
    with suppress(OSError):  # It is closed.
        while True:
            port.accept()[0].close()


@contextmanager
def processor_shares(config: Config, shares: dict[str, float]) -> Iterator[None]:
    """Note what each program takes meanwhile, in processors (1.0: all of one, all the time)."""
    own = {"bench": [psutil.Process()]}
    programs = {**supervise.processes(layout(config)), **own}
    before = {name: cpu_seconds(found) for name, found in programs.items()}
    start = time.monotonic()
    yield
    seconds = time.monotonic() - start
    for name, found in programs.items():
        with suppress(psutil.NoSuchProcess):  # Restarted meanwhile.
            shares[name] = round((cpu_seconds(found) - before[name]) / seconds, 3)


def measure(config: Config, chosen: Options, shares: dict[str, float]) -> Watch:
    """Start everything, and send the bookings; `shares` becomes what each program took of the processors."""
    people = customers(chosen.customers)
    devices = {f"c{n}": 1 for n in range(chosen.customers) if _CHANNELS[n % len(_CHANNELS)] == "PUSH"}
    warm_up = list(bookings(_WARM_UP, int(chosen.rate * chosen.warm_up), chosen.customers, chosen.share))
    entries = list(bookings(_MEASURED, int(chosen.rate * chosen.seconds), chosen.customers, chosen.share))
    watch = Watch(wanted(warm_up + entries), devices)

    def fill() -> None:
        database.load(config, people)
        register_devices(config, devices)
        wait_for_records(
            config, {"account_authorizations": chosen.customers, "alert_settings": chosen.customers}
        )

    environment.up(config, fresh=True, full=True, on_services=fill)
    wait_for_rules(config)
    print_progress("warming up")
    send_evenly(config, warm_up, chosen.rate)
    print_progress(f"{len(entries)} bookings, {chosen.rate:g}/s")
    with processor_shares(config, shares):
        sending = threading.Thread(target=send_evenly, args=(config, entries, chosen.rate))
        sending.start()
        if chosen.smtp_away:
            time.sleep(chosen.seconds / 10)
            with mail_server_away(config):
                time.sleep(chosen.smtp_away)
        sending.join()
    # Only now: reading along would take from the processors what others are measured with.
    with following(config, watch, None, from_beginning=True):
        wait_for_messages(config, watch, chosen.patience)
    return watch


def without_warm_up(watch: Watch) -> Watch:
    """Return what is measured: the bookings after the warm-up, and their alerts."""
    measured = {key for key in watch.wanted if key[0].startswith(_MEASURED)}
    return replace(
        watch,
        wanted=measured,
        put={name: at for name, at in watch.booked.items() if name.startswith(_MEASURED)},
        booked={name: at for name, at in watch.booked.items() if name.startswith(_MEASURED)},
        raised={key: each for key, each in watch.raised.items() if key in measured},
        for_devices={name: each for name, each in watch.for_devices.items() if each.key in measured},
    )


def main(
    rate: Annotated[float, typer.Option(help="Bookings a second.")] = 500,
    seconds: Annotated[float, typer.Option(help="Length of the measured part.")] = 60,
    warm_up: Annotated[float, typer.Option(help="Seconds before, which are not counted.")] = 120,
    share: Annotated[float, typer.Option(help="Share of the bookings that raise an alert.")] = 0.2,
    customers: Annotated[int, typer.Option()] = 3_000,
    smtp_away: Annotated[float, typer.Option(help="Seconds without a mail server.")] = 0,
    patience: Annotated[float, typer.Option(help="Seconds to wait for the last message.")] = 180,
    name: Annotated[str, typer.Option(help="Name of the file in bench/results.")] = "end-to-end",
) -> None:
    """Measure the time from a booking on Kafka to the customer's gateway, on the whole environment.

    By-passed: the queue and the bridge. The gateways are local stand-ins.
    """
    chosen = Options(rate, seconds, warm_up, share, customers, smtp_away, patience)
    with tempfile.TemporaryDirectory(prefix="alerts-bench-") as folder:
        config = ports.throw_away(load(), Path(folder) / "state")
        try:
            shares: dict[str, float] = {}
            watch = measure(config, chosen, shares)
        finally:
            environment.down(config)
    complete = watch.complete()
    watch = without_warm_up(watch)
    found = stages(watch)
    print_stages(found)
    typer.echo(f"missing {len(watch.wanted - watch.raised.keys())}, duplicates {watch.duplicates}")
    for program, used in sorted(shares.items(), key=lambda each: -each[1]):
        typer.echo(f"{used:6.3f} processors  {program}")
    file = report.RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-{name}.json"
    result = {
        "machine": report.machine(),
        "settings": asdict(chosen),
        "stages": found,
        "duplicates": watch.duplicates,
        "processors": shares,
    }
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print_progress(f"-> {file}")
    raise typer.Exit(0 if complete else 1)
