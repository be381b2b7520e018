"""Push alerts become one per device: with the real service, a real Kafka and a real Flink cluster.

One cluster for all tests; the ids of each test are its own.
"""

import json
import signal
import time
from collections.abc import Iterator

import pytest

from tests.component.resolver import CACHE_S, Push, Service, environment
from tests.pipeline.environment import Environment, wait

pytestmark = pytest.mark.environment


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    own = environment(tmp_path_factory.mktemp("devices"))
    try:
        own.alerts("up", "--no-jobs")
        own.alerts("submit", "device-resolver", "--stateless")
        yield own
    finally:
        own.alerts("down")


@pytest.fixture(scope="module")
def service(cluster: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    port = cluster.config.local_environment().devices_port
    running = Service(port, tmp_path_factory.mktemp("service") / "devices.sqlite")
    yield running
    running.kill()


@pytest.fixture(scope="module")
def push(cluster: Environment) -> Iterator[Push]:
    connected = Push(cluster.config)
    yield connected
    connected.close()


def customers(name: str, service: Service, count: int) -> list[str]:
    """Customers of a test's own, with a device each."""
    made = [f"{name}-{number}" for number in range(count)]
    for customer in made:
        service.register(customer, f"token-of-{customer}")
    return made


def test_one_alert_per_device_and_nothing_else_changes(service: Service, push: Push) -> None:
    devices = {service.register("two", "first"): "first", service.register("two", "second"): "second"}
    service.register("barrier", "token")
    push.alerts([("nobody", "n1"), ("two", "t1"), ("barrier", "f1")])
    push.until(lambda: len(push.of("t1")) >= 2 and len(push.of("f1")) >= 1, "three device alerts")
    sent, _ = push.sent["t1"]
    for record in push.of("t1"):
        assert {**record, "alert_id": "", "address": ""} == {**sent, "alert_id": "", "address": ""}
        address = json.loads(record["address"])
        assert address == {"device": address["device"], "kind": "FCM", "to": devices[address["device"]]}
        assert record["address"] == json.dumps(address, sort_keys=True, separators=(",", ":"))
    assert len({record["alert_id"] for record in push.of("t1")}) == 2
    assert {key for key, record, _ in push.came if record["entry_id"] == "t1"} == {b"two"}
    assert push.of("n1") == [], "a customer without a device has none told"


def test_what_is_no_alert_becomes_a_dead_letter_and_spoils_nothing(service: Service, push: Push) -> None:
    (customer,) = customers("after-poison", service, 1)
    bad = [(b"k", b"\xff" * 12), (None, None), (b"other", b"")]
    for key, value in bad:
        push.poison(key, value)
    push.alerts([(customer, "ap1")])
    push.until(lambda: len(push.dead) >= 3 and push.of("ap1") != [], "dead letters and the good one")
    letters = [(key, value) for key, value, _ in push.dead]
    assert sorted(letters, key=repr) == sorted(bad, key=repr)
    for _, _, headers in push.dead:
        assert headers.keys() == {"source.topic", "source.partition", "source.offset", "reason"}
        assert headers["source.topic"] == push.topics.outbound_push.name.encode()
        assert headers["reason"]


def test_a_new_token_keeps_the_id_and_a_removed_device_gets_nothing(service: Service, push: Push) -> None:
    gone, stays = service.register("changes", "old-1"), service.register("changes", "old-2")
    push.alerts([("changes", "c1")])
    push.until(lambda: len(push.of("c1")) >= 2, "both devices")
    service.remove("changes", gone)
    assert service.register("changes", "new-2", stays) == stays
    until = time.monotonic() + CACHE_S
    wait(lambda: time.monotonic() > until, "what was answered holds no more")
    push.alerts([("changes", "c2")])
    push.until(lambda: push.of("c2") != [], "the device that stayed")
    (told,) = push.of("c2")
    assert json.loads(told["address"]) == {"device": stays, "kind": "FCM", "to": "new-2"}


def test_a_service_that_hangs_or_is_away_delays_and_loses_nothing(service: Service, push: Push) -> None:
    asked = customers("patient", service, 200)
    service.signal(signal.SIGSTOP)
    push.alerts((customer, f"hung-{customer}") for customer in asked)
    push.poll(1)
    assert push.of(*(f"hung-{customer}" for customer in asked)) == []
    service.kill()
    push.alerts((customer, f"dead-{customer}") for customer in asked)
    push.poll(1)
    service.start()
    wanted = {f"{when}-{customer}" for when in ("hung", "dead") for customer in asked}
    push.until(lambda: len(push.of(*wanted)) >= len(wanted), "all that waited")
    came = [record["entry_id"] for record in push.of(*wanted)]
    assert sorted(came) == sorted(wanted), "once each"
    for customer in asked:
        assert came.index(f"hung-{customer}") < came.index(f"dead-{customer}"), "a customer's order"


def test_a_killed_task_manager_loses_nothing(cluster: Environment, service: Service, push: Push) -> None:
    asked = customers("killed", service, 50)
    wanted = {f"{customer}-{number}": customer for number in range(4) for customer in asked}
    pairs = [(customer, entry_id) for entry_id, customer in wanted.items()]
    push.alerts(pairs[:100])
    push.until(lambda: push.of(*wanted) != [], "the first of them")
    service.signal(signal.SIGSTOP)
    try:
        push.alerts(pairs[100:])
        cluster.task_manager().kill()
    finally:
        service.signal(signal.SIGCONT)
    push.until(lambda: {record["entry_id"] for record in push.of(*wanted)} == wanted.keys(), "all")
    ids: dict[str, set[str]] = {}
    for record in push.of(*wanted):
        ids.setdefault(record["entry_id"], set()).add(record["alert_id"])
    assert all(len(same) == 1 for same in ids.values()), "what is told again has the same id"
    assert len(set.union(*ids.values())) == len(wanted)
