"""The API with a real bank's database and ledger: what it answers, and to whom."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from account_alerts import postgres as database
from account_alerts.config import Config
from account_alerts.config.postgres import Database
from account_alerts.model.ids import stable_id
from account_alerts.records.codec import codec
from devenv.bank.device_service.store import Store as DeviceStore
from operations.migrations import FOLDER, migrate
from tests.component import web_bank
from tests.component.bank_tables.tables import Connection
from tests.component.web_client import Api, Client
from tests.unit.delivery.alerts import ALERT

pytestmark = pytest.mark.environment
Steps = Callable[[Api], Awaitable[None]]
_LEDGER = "web_api_ledger"
_DELIVERY = """
INSERT INTO deliveries (
    alert_id, channel, route, state, alert_type, customer_id, address, account_id, entry_id, setting_id,
    record, source_partition, source_offset, written_at, received_at, claimed_at, sent_at, lease_owner,
    attempts
) VALUES (
    %(id)s, %(channel)s, %(channel)s, 'SENT', 'BALANCE_BELOW', 'anna', %(address)s, 'NL01', %(entry)s, 'low',
    %(record)s, 0, 0, now(), now() - %(age)s * interval '1 minute', now(), now(), 'test', 1
)
"""


@dataclass
class World:
    """A bank of two customers, their ledger, and the API."""

    config: Config
    devices: DeviceStore
    bank: Connection

    def run(self, steps: Steps) -> None:
        asyncio.run(Api(self.config, self.devices).run(steps))


def deliver(config: Config, ledger: Connection, number: int, channel: str = "EMAIL") -> None:
    """Put a delivery to anna into the ledger."""
    named = {"alert_id": f"{number}-{channel}", "customer_id": "anna", "account_id": "NL01"}
    alert = {**ALERT, **named, "entry_id": f"e{number}", "channel": channel, "setting_id": "low"}
    record = codec(config).encode("OutboundAlert", alert, config.topics.outbound_email.name)
    values = {"id": named["alert_id"], "channel": channel, "address": ALERT["address"]}
    ledger.execute(_DELIVERY.encode(), {**values, "entry": f"e{number}", "record": record, "age": number})


@pytest.fixture(scope="module")
def ledger(postgres: Config) -> Iterator[Database]:
    """A ledger of this module's own."""
    own = postgres.require("delivery")
    with database.connect(own, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_LEDGER}".encode())
        made = own.model_copy(update={"name": _LEDGER})
        migrate(made, FOLDER / "delivery")
        yield made
        connection.execute(f"DROP DATABASE {_LEDGER} WITH (FORCE)".encode())


@pytest.fixture
def world(empty: Database, ledger: Database, postgres: Config, tmp_path: Path) -> Iterator[World]:
    web_bank.fill(empty)
    config = web_bank.configure(
        postgres, empty, delivery={"name": ledger.name}, senders={"mandatory": ["BALANCE_BELOW"]}
    ).override({"web": {"session_secret": web_bank.SECRET, "requests_per_second": 1000, "burst": 10000}})
    with database.connect(empty, autocommit=True) as bank, database.connect(ledger, autocommit=True) as own:
        own.execute("TRUNCATE deliveries, message_marks, inboxes")
        for number in range(1, 4):
            deliver(config, own, number)
        deliver(config, own, 1, "SMS")
        yield World(config, DeviceStore(tmp_path / "devices.sqlite"), bank)


NEW = {
    "account_id": "NL01",
    "alert_type": "DEBITED_ABOVE",
    "channels": ["EMAIL"],
    "currency": "EUR",
    "threshold_minor": "12345678901234567",
}


def test_a_setting_is_created_once_changed_and_removed(world: World) -> None:
    async def steps(api: Api) -> None:
        anna = await api.customer("anna")
        made = await anna.ask("POST", "/settings", NEW, Idempotency_Key="k1")
        assert made.status_code == 201, made.text
        assert made.json()["threshold"]["text"] == "€123,456,789,012,345.67"
        again = await anna.ask("POST", "/settings", NEW, Idempotency_Key="k1")
        assert (again.status_code, again.json(), again.headers["Location"]) == (
            201,
            made.json(),
            made.headers["Location"],
        )
        other = await anna.ask("POST", "/settings", {**NEW, "threshold_minor": "1"}, Idempotency_Key="k1")
        assert other.status_code == 409
        path = f"/settings/{made.json()['setting_id']}"
        tag = (await anna.ask("GET", path)).headers["ETag"]
        assert tag == made.headers["ETag"]
        assert (await anna.ask("PATCH", path, {"enabled": False})).status_code == 428
        changed = await anna.ask("PATCH", path, {"enabled": False, "channels": ["SMS"]}, If_Match=tag)
        assert (changed.json()["enabled"], changed.json()["channels"]) == (False, ["SMS"])
        assert (await anna.ask("PATCH", path, {"enabled": True}, If_Match=tag)).status_code == 412
        until = "2027-01-01T08:00:00+01:00"
        snoozed = await anna.ask(
            "PATCH", path, {"snoozed_until": until, "enabled": True}, If_Match=changed.headers["ETag"]
        )
        assert snoozed.json()["snoozed_until"] == "2027-01-01T07:00:00.000Z"
        known = {each["setting_id"]: each for each in web_bank.published(world.bank, "anna")["settings"]}
        assert known[made.json()["setting_id"]]["threshold_minor"] == 12345678901234567
        assert (await anna.ask("DELETE", path, If_Match="*")).status_code == 204
        assert (await anna.ask("GET", path)).status_code == 404

    world.run(steps)
    users = world.bank.execute(
        "SELECT DISTINCT application_user FROM history WHERE table_name = 'preferences' AND id >"
        " (SELECT min(id) + 2 FROM history WHERE table_name = 'preferences')"
    )
    assert users.fetchall() == [("customer by app: customer-anna",)]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"threshold_minor": 100}, "#/threshold_minor"),
        ({"threshold_minor": "1e3"}, "#/threshold_minor"),
        ({"threshold_minor": str(2**63)}, "#/threshold_minor"),
        ({"channels": ["FAX"]}, "#/channels/0"),
        ({"channels": []}, "#/channels"),
        ({"channels": ["SMS", "SMS"]}, "#/channels"),
        ({"currency": "EUX"}, "#/currency"),
        ({"account_id": "a\u0000b"}, "#/account_id"),
        ({"alert_type": "SALDO"}, "#/alert_type"),
        ({"alert_type": "TRANSACTION_COUNT"}, "#"),
        ({"snoozed_until": "2027-01-01T08:00:00"}, "#/snoozed_until"),
        ({"unknown": 1}, "#/unknown"),
    ],
)
def test_what_is_not_valid_is_named_by_its_field(world: World, change: dict[str, Any], pointer: str) -> None:
    async def steps(api: Api) -> None:
        anna = await api.customer("anna")
        answer = await anna.ask("POST", "/settings", {**NEW, **change}, Idempotency_Key="k")
        assert answer.status_code == 422
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert pointer in [each["pointer"] for each in answer.json()["errors"]]
        # What was sent is not said again: it may be personal.
        assert not [sent for sent in change.values() if isinstance(sent, str) and sent in answer.text]

    world.run(steps)


def test_the_customer_changes_how_they_are_spoken_to(world: World) -> None:
    async def steps(api: Api) -> None:
        anna = await api.customer("anna")
        tag = (await anna.ask("GET", "/customer")).headers["ETag"]
        change = {"language": "de-AT", "quiet_from": "22:00", "quiet_to": "07:00", "digest": "DAILY"}
        pause = {"paused_until": "2030-01-01T00:00:00Z"}
        answer = await anna.ask("PATCH", "/customer", {**change, **pause}, If_Match=tag)
        assert answer.status_code == 200, answer.text
        record = web_bank.published(world.bank, "anna")
        assert {name: record[name] for name in change} == change
        assert {each["snoozed_until"] for each in record["settings"]} == {1893456000000}
        for wrong in ({"quiet_from": "22:00"}, {"time_zone": "Europe/Nowhere"}, {"language": None}):
            assert (await anna.ask("PATCH", "/customer", wrong, If_Match="*")).status_code == 422, wrong

    world.run(steps)


def test_accounts_have_the_customers_own_names_and_pages(world: World) -> None:
    async def steps(api: Api) -> None:
        anna, ben = await api.customer("anna"), await api.customer("ben")
        named = await anna.ask("PATCH", "/accounts/NL02", {"name": "Household"})
        assert named.json()["name"] == "Household"
        first = (await anna.ask("GET", "/accounts?limit=1")).json()
        assert [each["account_id"] for each in first["accounts"]] == ["NL01"]
        assert first["accounts"][0]["balance"] == {"minor": "12345", "currency": "EUR", "text": "€123.45"}
        second = (await anna.ask("GET", f"/accounts?limit=1&cursor={first['next']}")).json()
        assert [each["name"] for each in second["accounts"]] == ["Household"]
        assert second["next"] is None
        assert (await ben.ask("GET", "/accounts/NL02")).json()["name"] is None
        assert (await anna.ask("GET", "/accounts?cursor=eyJ4Ijox")).status_code == 422

    world.run(steps)


def test_the_inbox_has_each_event_once_with_why(world: World) -> None:
    async def steps(api: Api) -> None:
        anna = await api.customer("anna")
        page = (await anna.ask("GET", "/messages?limit=2")).json()
        assert [len(each["deliveries"]) for each in page["messages"]] == [2, 1]
        rest = (await anna.ask("GET", f"/messages?limit=2&cursor={page['next']}")).json()
        assert [each["is_read"] for each in rest["messages"]] == [False]
        path = f"/messages/{page['messages'][0]['message_id']}"
        message = (await anna.ask("GET", path)).json()
        assert message["reasons"][0]["threshold"] == {"minor": "10000", "currency": "EUR", "text": "€100.00"}
        assert (message["also"], message["quote"]) == ([], None)
        assert [step["step"] for step in message["deliveries"][0]["steps"]][-1] == "SENT"
        assert ALERT["address"] not in json.dumps(message)
        assert (await anna.ask("PATCH", path, {"is_read": True})).json()["is_read"] is True
        assert len((await anna.ask("GET", "/messages?unread=true")).json()["messages"]) == 2
        assert (await anna.ask("DELETE", path)).status_code == 204
        assert (await anna.ask("GET", path)).status_code == 404

    world.run(steps)


def test_addresses_devices_and_consents(world: World) -> None:
    async def steps(api: Api) -> None:
        anna = await api.customer("anna")
        new = {"channel": "EMAIL", "address": "new@example.com"}
        made = await anna.ask("POST", "/addresses", new, Idempotency_Key="a")
        assert (made.status_code, made.json()["confirmed_at"]) == (201, None), made.text
        path = f"/addresses/{made.json()['address_id']}"
        wrong = await anna.ask("POST", f"{path}/confirmation", {"code": "x"})
        assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "#/code")
        [(body,)] = world.bank.execute("SELECT body FROM notices WHERE kind = 'CODE'").fetchall()
        right = await anna.ask("POST", f"{path}/confirmation", {"code": body[:6]})
        assert right.json()["confirmed_at"] is not None
        assert (await anna.ask("DELETE", path)).status_code == 204
        bad = await anna.ask("POST", "/addresses", {**new, "address": "nowhere"}, Idempotency_Key="b")
        assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "#/address")
        push = await anna.ask("POST", "/addresses", {"channel": "PUSH"}, Idempotency_Key="c")
        assert push.json()["confirmed_at"] is not None

        known = (await anna.ask("GET", "/addresses")).json()["addresses"]
        [sms] = [each for each in known if each["channel"] == "SMS"]
        world.bank.execute("INSERT INTO sms_opt_outs (number, stopped) VALUES ('31612345678', true)")
        started = await anna.ask("POST", f"/addresses/{sms['address_id']}/start")
        assert started.json()["stopped"] is False, started.text
        assert world.bank.execute("SELECT stopped, source FROM sms_opt_outs").fetchall() == [(False, "APP")]
        [mail] = [each for each in known if each["channel"] == "EMAIL"]
        assert (await anna.ask("POST", f"/addresses/{mail['address_id']}/start")).status_code == 409

        device = await anna.ask("POST", "/devices", {"kind": "FCM", "to": "token"})
        assert device.status_code == 201, device.text
        assert (await anna.ask("POST", "/devices", {"kind": "WEB_PUSH", "to": "x"})).status_code == 422
        own = f"/devices/{device.json()['device_id']}"
        assert (await anna.ask("DELETE", own)).status_code == 204
        assert (await anna.ask("GET", "/devices")).json() == {"devices": []}

        consent = {"given": False, "wording": "2026-11"}
        assert (await anna.ask("PUT", "/consents/APPLICATION_REMINDERS/SMS", consent)).status_code == 204
        [found] = (await anna.ask("GET", "/consents")).json()["consents"]
        assert (found["given"], found["source"], found["wording"]) == (False, "APP", "2026-11")

    world.run(steps)


def test_requests_are_bounded(world: World) -> None:
    world.config = world.config.override(
        {"web": {"session_secret": web_bank.SECRET, "requests_per_second": 1, "burst": 3}}
    )

    async def steps(api: Api) -> None:
        anna, ben = await api.customer("anna"), await api.customer("ben")
        statuses = [(await anna.ask("GET", "/consents")).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        assert (await ben.ask("GET", "/consents")).status_code == 200

    world.run(steps)


BODIES: dict[tuple[str, str], Any] = {
    ("PATCH", "/customer"): {"language": "cs"},
    ("PATCH", "/accounts/{account_id:path}"): {"name": "Mine"},
    ("POST", "/settings"): NEW,
    ("PATCH", "/settings/{setting_id:path}"): {"enabled": False},
    ("DELETE", "/settings/{setting_id:path}"): None,
    ("POST", "/test-messages"): {"setting_id": "low"},
    ("POST", "/addresses"): {"channel": "EMAIL", "address": "new@example.com"},
    ("POST", "/addresses/{address_id}/code"): None,
    ("POST", "/addresses/{address_id}/confirmation"): {"code": "123456"},
    ("POST", "/addresses/{address_id}/start"): None,
    ("DELETE", "/addresses/{address_id}"): None,
    ("POST", "/devices"): {"kind": "FCM", "to": "bens-token"},
    ("DELETE", "/devices/{device_id}"): None,
    ("PATCH", "/messages/{message_id}"): {"is_read": True},
    ("DELETE", "/messages/{message_id}"): None,
    ("PUT", "/consents/{purpose}/{channel}"): {"given": True, "wording": "1"},
}
"""A valid body of each route that changes something."""
OWN = {
    *(("POST", path) for path in ("/addresses", "/devices")),
    ("PATCH", "/customer"),
    ("PUT", "/consents/{purpose}/{channel}"),
}
"""Routes whose requests name nobody's data: they are about who asks."""


def requests(api: Api) -> Iterator[tuple[str, str, str, Any]]:
    """Yield a request for each route of the API, about what is anna's: method, pattern, path, body."""
    ids = {
        "{account_id:path}": "NL01",
        "{setting_id:path}": "low",
        "{address_id}": stable_id(b"EMAIL", b"anna@example.com"),
        "{device_id}": "annas-device",
        "{message_id}": "2-EMAIL",
        "{purpose}": "APPLICATION_REMINDERS",
        "{channel}": "SMS",
    }
    for route in iter_route_contexts(api.app.routes):
        if not route.path or not route.path.startswith("/api/v1") or route.path == api.app.openapi_url:
            continue
        pattern = route.path.removeprefix("/api/v1")
        path = pattern
        for name, value in ids.items():
            path = path.replace(name, value)
        assert "{" not in path, f"{route.path}: which of anna's does it name?"
        for method in route.methods or ():
            if method != "GET":
                assert (method, pattern) in BODIES, f"{method} {route.path}: what is a valid body?"
            yield method, pattern, path, BODIES.get((method, pattern))


async def ask(client: Client, method: str, path: str, body: Any) -> Any:
    key = f"{method} {path}"
    return await client.ask(method, path, body, Idempotency_Key=key, If_Match="*")


def everything(world: World) -> list[Any]:
    """Return all that is anna's."""
    tables = ("customers", "addresses", "preferences", "account_names", "consents", "address_codes")
    return [
        world.bank.execute(
            f"SELECT * FROM {table} WHERE customer_id = 'anna' ORDER BY 1, 2".encode()
        ).fetchall()
        for table in tables
    ] + [web_bank.published(world.bank, "anna")]


def test_nobody_and_the_banks_own_people_get_nothing(world: World) -> None:
    async def steps(api: Api) -> None:
        count = 0
        operator = await api.person("operator-1")
        forged = Client(api.nobody()._http, "eyJhbGciOiJub25lIn0.eyJjdXN0b21lcl9pZCI6ImFubmEifQ.")
        for method, _, path, body in requests(api):
            assert (await ask(api.nobody(), method, path, body)).status_code == 401, path
            assert (await ask(forged, method, path, body)).status_code == 401, path
            assert (await ask(operator, method, path, body)).status_code == 403, path
            count += 1
        assert count > 20

    before = everything(world)
    world.run(steps)
    assert everything(world) == before


def test_another_customer_reads_and_changes_nothing(world: World) -> None:
    async def steps(api: Api) -> None:
        ben = await api.customer("ben")
        for method, pattern, path, body in requests(api):
            answer = await ask(ben, method, path, body)
            refused = (method, pattern) not in OWN and ("{" in pattern or method != "GET")
            as_wanted = answer.status_code == 404 if refused else answer.status_code < 300
            assert as_wanted, f"{method} {path}: {answer.text}"
            for of_anna in ("anna", "NL01", "low", "31612345678"):
                assert of_anna not in answer.text.replace("follow", ""), f"{method} {path}: {answer.text}"

    before = everything(world)
    world.run(steps)
    assert everything(world) == before


def test_who_lost_the_access_has_lost_it_at_once(world: World) -> None:
    async def steps(api: Api) -> None:
        anna = await api.customer("anna")
        assert (await anna.ask("GET", "/messages/2-EMAIL")).status_code == 200
        world.bank.execute("DELETE FROM access_rights WHERE customer_id = 'anna' AND account_id = 'NL01'")
        before = everything(world)
        for method, pattern, path, body in requests(api):
            if "account" in pattern or "setting" in pattern or "message" in pattern:
                answer = await ask(anna, method, path, body)
                listed = method == "GET" and "{" not in pattern
                assert answer.status_code == (200 if listed else 404), f"{method} {path}: {answer.text}"
                assert "NL01" not in answer.text
        assert everything(world) == before
        world.bank.execute("DELETE FROM customers WHERE customer_id = 'anna'")
        for method, _, path, body in requests(api):
            assert (await ask(anna, method, path, body)).status_code == 403, path

    world.run(steps)
