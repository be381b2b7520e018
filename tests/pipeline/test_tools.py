"""The commands of the `alerts` tool that work on records."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.builders import entry, setting, settings
from tests.pipeline.environment import ALERTS, Environment
from tests.pipeline.scenario import Scenario
from tests.reference.binary import encode
from tests.reference.model import Source


def test_settings_and_authorizations_put_and_get(
    environment: Environment, scenario: Scenario, tmp_path: Path
) -> None:
    customer, account = scenario.id("c"), scenario.id("a")
    file = tmp_path / "record.json"
    # What the schema has a default for may be left out.
    wanted = {key: value for key, value in setting("s", account).items() if value is not None}
    addresses = [{"channel": "EMAIL", "address": "x@example.com"}]
    file.write_text(json.dumps({"customer_id": customer, "addresses": addresses, "settings": [wanted]}))
    environment.alerts("settings", "put", str(file))
    file.write_text(json.dumps([{"account_id": account, "customer_ids": [customer]}]))
    environment.alerts("authorizations", "put", str(file))

    got = json.loads(environment.alerts("settings", "get", customer))
    assert got["settings"] == [setting("s", account)]
    assert (got["language"], got["time_zone"]) == ("en", "UTC")
    assert json.loads(environment.alerts("authorizations", "get", account))["customer_ids"] == [customer]

    def alerted() -> bool:
        return any(each.record["customer_id"] == customer for each in scenario.alerts())

    scenario.pipeline.consume_until_time(time.monotonic() + 1.1)
    scenario.write_booking(entry(scenario.id("e0"), account))
    scenario.pipeline.flush()
    scenario.wait_for(alerted, "an alert by the settings that were put")
    environment.alerts("authorizations", "delete", account)
    with pytest.raises(AssertionError, match="nothing for"):
        environment.alerts("authorizations", "get", account)


@pytest.mark.parametrize(
    "text", ["", "[", "{}", '{"customer_id": "x", "settings": 3}', '{"customer_id": ""}']
)
def test_a_wrong_file_is_told_in_a_line(environment: Environment, tmp_path: Path, text: str) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(text)
    with pytest.raises(AssertionError, match=r"alerts: .*wrong\.json") as told:
        environment.alerts("settings", "put", str(file))
    assert "Traceback" not in str(told.value)


def test_replay_and_tail(environment: Environment, scenario: Scenario, tmp_path: Path) -> None:
    """A file of JSON lines goes in at a given pace; its alerts can be read as their customers read them."""
    customer, account = scenario.id("c"), scenario.id("a")
    scenario.authorize(account, customer)
    scenario.write_settings(settings(customer, setting("s", account, channels=["SMS"]), language="cs"))
    scenario.await_effect()
    file = tmp_path / "bookings.jsonl"
    bookings = [entry(scenario.id(f"e{number}"), account) for number in range(30)]
    file.write_text("\n".join(map(json.dumps, bookings)))
    done = json.loads(environment.alerts("replay", str(file), "--speed", "20", "--json").splitlines()[-1])
    assert (done["sent"], done["total"]) == (30, 30)
    assert 1.4 < done["seconds"] < 10
    scenario.wait_for(
        lambda: len({each.record["entry_id"] for each in scenario.alerts()}) == 30, "all alerts"
    )

    command = [str(ALERTS), "tail", "sms", "--from-beginning"]
    variables = {"ALERTS_CONFIG": str(environment.file)}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as tail:
        assert tail.stdout is not None
        try:
            line = next(line for line in tail.stdout if "10,00\xa0€" in line)
        finally:
            tail.terminate()
    assert " sms " in line
    assert " ms " in line
    assert account not in line


def test_dead_letters_are_listed_and_put_back_after_repair(
    environment: Environment, scenario: Scenario, tmp_path: Path
) -> None:
    customer, account = scenario.id("c"), scenario.id("a")
    scenario.authorize(account, customer)
    scenario.write_settings(settings(customer, setting("s", account)))
    scenario.await_effect()
    scenario.write_invalid(
        account.encode(), encode("AccountEntry", entry(scenario.id("e"), account, amount_minor=-1000))
    )
    expected = scenario.verify()
    (source,) = expected.dead_letters
    lines = environment.alerts("dead-letters", "list", "--json").splitlines()
    (letter,) = (
        each
        for each in map(json.loads, lines)
        if [each["topic"], each["offset"]] == [source[0], source[2]] and each["partition"] == source[1]
    )
    assert letter["reason"]
    assert letter["record"]["amount_minor"] == -1000
    assert letter["id"] in environment.alerts("dead-letters", "list")

    environment.alerts("dead-letters", "replay", letter["id"])
    scenario.wait_for(
        lambda: (
            len({each.source for each in scenario.pipeline.dead_letters if each.key == account.encode()}) == 2
        ),
        "the letter once more, as it is still broken",
    )

    file = tmp_path / "repaired.jsonl"
    letter["record"]["amount_minor"] = 1000
    file.write_text(json.dumps(letter))
    environment.alerts("dead-letters", "replay", "--file", str(file))
    scenario.wait_for(lambda: bool(scenario.alerts()), "the repaired booking's alert")


def _source(letter: dict[str, Any]) -> Source:
    return letter["topic"], letter["partition"], letter["offset"]
