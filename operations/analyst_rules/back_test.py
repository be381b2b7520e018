"""Back-tests: the alerts that a rule would have raised, over the bookings still in Kafka or of a file.

Nobody is sent anything.

Flink runs the very same SQL in this process, over the bookings up to those that are there now, in streaming
mode (its batch mode refuses the upsert tables). The customers who would have been alerted are found as the
adhoc-alerts job finds them: by who was authorized, and where they were reached, at the Kafka time of each
booking. Bookings of a file have no such time: they meet what is known now.
"""

import json
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from account_alerts.config import Config
from account_alerts.kafka.clients import read_to_end
from account_alerts.model.analyst_rule import Rule
from account_alerts.model.analyst_rule_keys import setting_id_of_alerts
from account_alerts.records.codec import Codec, CodecError, codec
from account_alerts.records.customers import read_contact, read_customers
from account_alerts.service.clock import SYSTEM_CLOCK
from jobs import analyst_rule_job
from jobs.sql import statement
from operations import booking_files
from operations.analyst_rules import check
from operations.analyst_rules.outcome import Match, Outcome
from operations.waiting import print_progress
from udfs.analyst_rules.matches import make_alerts

_Versions = dict[str, list[tuple[int, Any]]]
"""What holds for a key from a Kafka time on, oldest first; None: nothing."""
_REPORT_SECONDS = 5.0
_COLUMNS = (
    *("entry_id", "customer_id", "account_id", "currency", "amount_minor", "balance_minor"),
    *("booked_at", "written_at", "threshold_minor"),
)


def run(
    config: Config, rule: Rule, location: str, start: int | None, end: int | None, file: Path | None
) -> Outcome:
    """Try a rule.

    Args:
        config: Where Kafka is.
        rule: The rule.
        location: What errors call it.
        start: Bookings from then on would raise alerts, in milliseconds UTC; None: from the first.
        end: Bookings before then; None: up to now.
        file: Bookings as `booking_files.read` reads them, instead of Kafka's; their times are `booked_at`.

    Raises:
        RuleError: The rule cannot run.
        BookingFileError: The file holds something else.
        KafkaUnreachableError: Kafka does not answer.
    """
    end = SYSTEM_CLOCK.now_ms() if end is None else end
    with tempfile.TemporaryDirectory() as folder:
        bookings = None if file is None else _as_json_lines(file, Path(folder) / "bookings.json")
        hits = list(_hits(config, rule, location, start or 0, end, bookings))
    print_progress(f"{len(hits)} bookings found; looking for their customers")
    outcome = Outcome(rule, found=len({hit["entry_id"] for hit in hits}))
    delay = config.rules.effect_delay
    contacts, authorized = _known(config, {hit["account_id"] for hit in hits})
    for hit in hits:
        at = hit["written_at"] - delay if file is None else sys.maxsize
        for customer in _as_of(authorized, hit["account_id"], at) or ():
            if hit["customer_id"] in ("", customer):
                contact = _as_of(contacts, customer, at)
                outcome.add({**hit, "customer_id": customer}, _reached(hit, customer, contact))
    return outcome


def _reached(match: Match, customer: str, contact: dict[str, Any] | None) -> list[str]:
    """Return the channel of each alert that a match raises for a customer."""
    made = make_alerts(
        match["entry_id"].encode(),
        customer.encode(),
        setting_id_of_alerts(match["rule"]).encode(),
        match["channels"],
        json.dumps(contact["addresses"]) if contact else None,
    )
    return [channel for alert_id, channel, _ in made if alert_id is not None]


def _hits(
    config: Config, rule: Rule, location: str, start: int, end: int, bookings: Path | None
) -> Iterator[Match]:
    """Yield what the rule finds, each booking and customer once."""
    table_env = check.environment(config, rule)
    table_env.get_config().set("parallelism.default", "1")
    for table in ("account_authorizations", "alert_settings"):
        table_env.execute_sql(f"ALTER TABLE {table} SET ('scan.bounded.mode' = 'latest-offset')")
    if bookings is None:
        table_env.execute_sql(
            "ALTER TABLE account_entries SET ('scan.startup.mode' = 'timestamp', 'scan.bounded.mode' = "
            f"'timestamp', 'scan.startup.timestamp-millis' = '{max(0, start - rule.history)}', "
            f"'scan.bounded.timestamp-millis' = '{end}')"
        )
        analyst_rule_job.define_views(table_env, config)
    else:
        analyst_rule_job.define_views(table_env, config, bookings)
    found = check.compile_rule(table_env, rule, location)
    table_env.create_temporary_view("found", found)
    insert = statement("analyst_rules/raise_hits.sql", config, **analyst_rule_job.hits(found, rule, start))
    print_progress(f"{rule.name}: running over {'the file' if bookings else 'the bookings in Kafka'}")
    seen: dict[tuple[str, str], Match] = {}
    reported = time.monotonic()
    with table_env.sql_query(insert[insert.index("SELECT") :]).execute().collect() as rows:
        for row in rows:
            name, *values = list(row)
            hit = {"rule": name, **dict(zip(_COLUMNS, values, strict=False))}
            hit |= {"channels": ",".join(rule.channels), "per_minute": rule.per_minute}
            if hit["written_at"] < end:
                seen.setdefault((hit["entry_id"], hit["customer_id"]), cast(Match, hit))
            if time.monotonic() - reported > _REPORT_SECONDS:
                reported = time.monotonic()
                print_progress(f"{len(seen)} bookings found so far")
    yield from seen.values()


def _as_json_lines(file: Path, target: Path) -> Path:
    """Write a file's bookings as Flink reads them: JSON lines, times as text, and bytes in base 64."""
    with target.open("w", encoding="utf-8") as lines:
        for entry in booking_files.read(file):
            booked = datetime.fromtimestamp(entry["booked_at"] / 1000, UTC)
            text = booked.strftime("%Y-%m-%d %H:%M:%S.") + f"{booked.microsecond // 1000:03d}Z"
            key = b64encode(entry["account_id"].encode()).decode()
            lines.write(json.dumps({**entry, "booked_at": text, "written_at": text, "entry_key": key}) + "\n")
    return target


def _known(config: Config, accounts: set[str]) -> tuple[_Versions, _Versions]:
    """Return contacts by customer and customers by account, with the Kafka times from which they hold."""
    topics = config.topics
    authorized = _versions(config, topics.account_authorizations.name, accounts, read_customers)
    concerned = {
        customer for held in authorized.values() for _, customers in held for customer in customers or ()
    }
    return _versions(config, topics.alert_settings.name, concerned, read_contact), authorized


def _versions(
    config: Config, topic: str, keys: set[str], read: Callable[[Codec, str, bytes | None], Any]
) -> _Versions:
    """Read what the records of these keys say, with the Kafka times from which it holds."""
    decoder = codec(config)
    found: _Versions = {}
    for key, value, at in _records(config, topic):
        if key in keys:
            with suppress(CodecError):  # The last good one stays in force.
                found.setdefault(key, []).append((at, read(decoder, key, value)))
    return found


def _as_of(versions: _Versions, key: str, time: int) -> Any:
    """Return what holds for a key at a time; None where nothing does."""
    return next((value for since, value in reversed(versions.get(key, [])) if since <= time), None)


def _records(config: Config, topic: str) -> Iterator[tuple[str, bytes | None, int]]:
    for message in read_to_end(config, topic):
        key = message.key() or b""
        text = key if isinstance(key, str) else key.decode(errors="replace")
        yield text, message.value(), message.timestamp()[1]
