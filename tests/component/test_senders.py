"""The senders with a real Kafka, PostgreSQL and mail server: no alert is lost, and none is sent twice."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest

from account_alerts.config import Config
from account_alerts.kafka.clients import send_all
from account_alerts.records.codec import Record
from delivery.ledger.audit import explain
from delivery.reasons import LIMITS
from operations.dead_letters import read as read_letters
from tests import builders
from tests.component.conftest import KAFKA
from tests.component.programs import Programs
from tests.component.sender_harness import SenderHarness, steps

pytestmark = pytest.mark.environment


@pytest.fixture(scope="module")
def harness(
    kafka: Config, postgres: Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SenderHarness]:
    """Everything but senders runs."""
    assert kafka is postgres
    own = SenderHarness(kafka, tmp_path_factory.mktemp("senders"))
    own.mail_server.start()
    try:
        own.start_process("delivery.profiles")
        yield own
    finally:
        own.close()


@pytest.fixture
def sender(harness: SenderHarness) -> Iterator[None]:
    """One sender runs; at the end it leaves in order."""
    process = harness.start_process()
    yield
    assert harness.stop_process(process) == 0


@pytest.mark.usefixtures("sender")
def test_one_mail_for_an_alert_however_often_kafka_has_it(harness: SenderHarness) -> None:
    customer = harness.add_customer()
    alerts = [harness.new_alert(customer) for _ in range(100)]
    for _ in range(3):
        harness.send_alerts(alerts)
    last = harness.new_alert(customer)
    harness.send_alerts([last])
    harness.wait_for("all are out", lambda: harness.count_states([*alerts, last])["SENT"] == 101)
    assert len(harness.mail_server.to(f"{customer}@example.com")) == 101
    row = harness.ledger_rows([last])[last["alert_id"]]
    assert (row["due_at"], row["attempts"], row["reason"], steps(row)) == (None, 1, None, [])
    assert row["written_at"] <= row["received_at"] <= row["sent_at"]
    assert harness.metrics()['account_alerts_sender_deliveries_total{channel="EMAIL",state="SENT"}'] >= 101


def test_channels_and_profiles_that_share_a_process_fail_alone_and_drain_together(
    harness: SenderHarness,
) -> None:
    """Push cannot start, as nobody has told the push services' keys: mails go out all the same."""
    process = harness.start_process("delivery", "--channel", "push", "--profiles", "--instance", "shared")
    customer = harness.add_customer()
    alerts = [harness.new_alert(customer) for _ in range(20)]
    harness.send_alerts(alerts)
    harness.wait_for("all are out", lambda: harness.count_states(alerts)["SENT"] == 20)
    harness.wait_for("push is tried again", lambda: harness.log().count("push: starts again") > 1)
    assert process.poll() is None
    assert "email: starts again" not in harness.log()
    harness.mail_server.delay = 1.0
    try:
        held = [harness.new_alert(customer) for _ in range(harness.connections)]
        harness.send_alerts(held)
        harness.wait_for("mails are on their way", lambda: harness.count_states(held)["CLAIMED"] > 0)
        assert harness.stop_process(process) == 0
    finally:
        harness.mail_server.delay = 0.0
    assert harness.count_states(held)["CLAIMED"] == 0


def test_no_statement_reads_more_than_its_own_rows(harness: SenderHarness) -> None:
    # PostgreSQL plans while the ledger is empty, and keeps its plans while it grows.
    harness.execute("TRUNCATE deliveries")
    process = harness.start_process()
    customer = harness.add_customer()
    count = 1_000
    harness.wait_for("the sender", harness.is_ready)
    read = "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE indexrelname = 'deliveries_pkey'"
    before = harness.query_value(read)
    harness.send_slowly([harness.new_alert(customer) for _ in range(count)], 10)
    sent = 'account_alerts_sender_deliveries_total{channel="EMAIL",state="SENT"}'
    harness.wait_for("all are out", lambda: harness.metrics().get(sent, 0) == count)
    assert harness.stop_process(process) == 0  # The last that it did is counted when its connections end.
    written = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'deliveries'"
    harness.wait_for("the last is counted", lambda: harness.query_value(written) >= count)
    assert 0 < harness.query_value(read) - before < 5 * count


@pytest.mark.usefixtures("sender")
def test_what_no_gateway_takes_and_what_is_no_alert_become_dead_letters(harness: SenderHarness) -> None:
    customer = harness.add_customer()
    gone = harness.new_alert(customer, address=f"gone-{customer}@example.com")
    topic = harness.config.topics.outbound_email.name
    garbage = f"garbage {customer}".encode()
    send_all(harness.config, [(topic, customer.encode(), garbage)])
    after = harness.new_alert(customer)
    harness.send_alerts([gone, after])
    harness.wait_for(
        "both are done", lambda: harness.count_states([gone, after]) == {"REJECTED": 1, "SENT": 1}
    )
    dead_letters = {letter.value: letter for letter in read_letters(harness.config) if letter.topic == topic}
    assert dead_letters[garbage].key == customer.encode()
    rejected = dead_letters[harness.codec.encode("OutboundAlert", gone, topic)]
    assert "550" in rejected.reason
    row = harness.ledger_rows([gone])[gone["alert_id"]]
    assert (rejected.partition, rejected.offset) == (row["source_partition"], row["source_offset"])


@pytest.mark.usefixtures("sender")
def test_an_address_that_is_stuck_or_busy_does_not_stop_others(harness: SenderHarness) -> None:
    customer = harness.add_customer()
    busy, stuck = (
        harness.new_alert(customer, address=f"{name}-{customer}@example.com") for name in ("later", "stuck")
    )
    others = [harness.new_alert(customer) for _ in range(50)]
    harness.send_alerts([stuck, busy, *others])
    harness.wait_for("the others are out", lambda: harness.count_states(others)["SENT"] == 50)
    harness.wait_for("it is out too", lambda: harness.count_states([busy])["SENT"] == 1)
    row = harness.ledger_rows([busy])[busy["alert_id"]]
    assert row["attempts"] == 3
    assert steps(row) == ["RETRYING"]  # The same reason twice is one step.
    harness.wait_for("and the stuck one", lambda: harness.count_states([stuck])["SENT"] == 1)


@pytest.mark.usefixtures("sender")
def test_a_relay_that_refuses_the_bank_ends_no_alert(harness: SenderHarness) -> None:
    customer = harness.add_customer()
    harness.mail_server.refusal = "554 5.7.1 Relay access denied"
    try:
        alerts = [harness.new_alert(customer) for _ in range(200)]
        harness.send_alerts(alerts)
        harness.wait_for("all are in the ledger", lambda: harness.count_states(alerts) == {"RETRYING": 200})
        assert harness.metrics()['account_alerts_sender_gateway_up{channel="EMAIL",route="EMAIL"}'] == 0
    finally:
        harness.mail_server.refusal = None
    harness.wait_for("all are out", lambda: harness.count_states(alerts) == {"SENT": 200})
    ids = Counter(mail.id for mail in harness.mail_server.to(f"{customer}@example.com"))
    assert len(ids) == 200


@pytest.mark.usefixtures("sender")
def test_an_address_in_doubt_is_given_up_when_others_are_taken(harness: SenderHarness) -> None:
    customer = harness.add_customer()
    doubtful = harness.new_alert(customer, address=f"doubt-{customer}@example.com")
    harness.send_alerts([doubtful])
    harness.wait_for("it waits", lambda: harness.count_states([doubtful]) == {"RETRYING": 1})
    others = [harness.new_alert(customer) for _ in range(20)]
    harness.send_alerts(others)
    harness.wait_for("the others are out", lambda: harness.count_states(others) == {"SENT": 20})
    harness.wait_for("it is given up", lambda: harness.count_states([doubtful]) == {"REJECTED": 1})
    assert harness.ledger_rows([doubtful])[doubtful["alert_id"]]["attempts"] >= 4


@pytest.mark.usefixtures("sender")
def test_a_gateway_that_was_down_gets_everything_once(harness: SenderHarness) -> None:
    customer = harness.add_customer()
    harness.mail_server.stop()
    try:
        alerts = [harness.new_alert(customer) for _ in range(200)]
        harness.send_alerts(alerts)
        harness.wait_for("all are in the ledger", lambda: harness.count_states(alerts) == {"RETRYING": 200})
        assert harness.metrics()['account_alerts_sender_gateway_up{channel="EMAIL",route="EMAIL"}'] == 0
    finally:
        harness.mail_server.start()
    harness.wait_for("all are out", lambda: harness.count_states(alerts) == {"SENT": 200})
    ids = Counter(mail.id for mail in harness.mail_server.to(f"{customer}@example.com"))
    assert len(ids) == 200
    assert set(ids.values()) == {1}


def test_a_broker_that_is_started_again_ends_no_process(harness: SenderHarness, programs: Programs) -> None:
    """Away for longer than a client may know no broker: it knows one all the time."""
    customer, process = harness.add_customer(), harness.start_process("delivery", "--profiles")
    alerts = [harness.new_alert(customer) for _ in range(20)]
    harness.send_alerts(alerts[:10])
    harness.wait_for("some are out", lambda: harness.count_states(alerts) == {"SENT": 10})
    programs.stop("kafka")
    time.sleep(1.5 * harness.config.kafka.lost_after / 1000)
    programs.start(KAFKA)
    harness.send_alerts(alerts[10:])
    harness.wait_for("all are out", lambda: harness.count_states(alerts) == {"SENT": 20})
    assert "has known no broker" not in harness.log()
    assert harness.stop_process(process) == 0


@pytest.mark.usefixtures("sender")
def test_deferred_alerts_are_sent_unless_something_has_changed(harness: SenderHarness) -> None:
    later = time.time_ns() // 1_000_000 + 3_600_000
    kept, unauthorized, moved, left = (harness.add_customer(snoozed_until=later) for _ in range(4))
    alerts = {customer: harness.new_alert(customer) for customer in (kept, unauthorized, moved, left)}
    known = "SELECT count(*) FROM profiles WHERE customer_id = ANY (%s)"
    harness.wait_for("profiles", lambda: harness.query_value(known, list(alerts)) == 4)
    harness.send_alerts(alerts.values())
    harness.wait_for("all are deferred", lambda: harness.count_states(alerts.values()) == {"DEFERRED": 4})
    assert not harness.mail_server.to(alerts[kept]["address"])
    harness.write_authorization(unauthorized)
    harness.write_settings(moved, addresses=[{"channel": "EMAIL", "address": "new@example.com"}])
    harness.delete_customer(left)
    harness.write_settings(kept)
    snoozed = "SELECT settings -> 's1' ->> 'snoozed_until' FROM profiles WHERE customer_id = %s"
    gone = "SELECT count(*) FROM profiles WHERE customer_id = %s"
    taken = "SELECT cardinality(customer_ids) FROM account_access WHERE account_id = %s"
    harness.wait_for("it sleeps no more", lambda: harness.query_value(snoozed, kept) is None)
    harness.wait_for("the address has changed", lambda: harness.query_value(snoozed, moved) is None)
    harness.wait_for("the customer has left", lambda: harness.query_value(gone, left) == 0)
    harness.wait_for(
        "the authorization is withdrawn", lambda: harness.query_value(taken, f"a-{unauthorized}") == 0
    )
    harness.execute("UPDATE deliveries SET due_at = now() WHERE customer_id = ANY (%s)", list(alerts))
    harness.wait_for(
        "all are done", lambda: harness.count_states(alerts.values()) == {"SENT": 1, "CANCELLED": 3}
    )
    rows = harness.ledger_rows(alerts.values())
    reasons = {customer: rows[alert["alert_id"]]["reason"] for customer, alert in alerts.items()}
    assert reasons[kept] is None
    assert "authorized" in reasons[unauthorized]
    assert "address" in reasons[moved]
    assert "left" in reasons[left]
    assert steps(rows[alerts[kept]["alert_id"]]) == ["DEFERRED"]
    assert len(harness.mail_server.to(alerts[kept]["address"])) == 1


@pytest.mark.usefixtures("sender")
def test_an_alert_is_sent_for_the_reasons_that_may_go(harness: SenderHarness) -> None:
    later = time.time_ns() // 1_000_000 + 3_600_000
    customer = harness.add_customer()
    account = f"a-{customer}"
    low = builders.setting("low", account, alert_type="BALANCE_BELOW", threshold_minor=10_000)
    out = builders.setting("out", account, alert_type="DEBITED_ABOVE", threshold_minor=500)
    asleep = {"snoozed_until": later}

    def write(*settings: Record) -> None:
        harness.write_settings(customer, settings=list(settings))
        known = "SELECT settings FROM profiles WHERE customer_id = %s"
        wanted = {each["setting_id"]: each["snoozed_until"] for each in settings}
        harness.wait_for(
            "the profile",
            lambda: (
                {
                    name: each["snoozed_until"]
                    for name, each in (harness.query_value(known, customer) or {}).items()
                }
                == wanted
            ),
        )

    def new_alert() -> Record:
        reasons = [
            {name: each[name] for name in ("setting_id", "alert_type", *LIMITS)} for each in (low, out)
        ]
        return harness.new_alert(customer, setting_id="low", alert_type="BALANCE_BELOW", reasons=reasons)

    write(low | asleep, out)
    now = new_alert()
    harness.send_alerts([now, now])
    harness.wait_for("it is out", lambda: harness.count_states([now]) == {"SENT": 1})
    [mail] = harness.mail_server.to(now["address"])
    assert (mail.subject, "fell below" in mail.text) == ("€10.00 went out", False)
    write(low | asleep, out | asleep)
    deferred = new_alert()
    harness.send_alerts([deferred])
    harness.wait_for("it is deferred", lambda: harness.count_states([deferred]) == {"DEFERRED": 1})
    write(out)
    harness.execute(
        "UPDATE deliveries SET due_at = now() WHERE customer_id = %s AND due_at > now()", customer
    )
    harness.wait_for("it is out, too", lambda: harness.count_states([deferred]) == {"SENT": 1})
    assert len(harness.mail_server.to(now["address"])) == 2
    cause = explain(harness.config, deferred["alert_id"])
    assert [reason["setting_id"] for reason in cause["reasons"]] == ["low", "out"]


@pytest.mark.usefixtures("sender")
def test_quiet_hours_defer_and_a_digest_is_one_mail(harness: SenderHarness) -> None:
    quiet = harness.add_customer(quiet_from="00:00", quiet_to="23:59")
    digest = harness.add_customer(digest="HOURLY")
    known = "SELECT count(*) FROM profiles WHERE customer_id = ANY (%s)"
    harness.wait_for("profiles", lambda: harness.query_value(known, [quiet, digest]) == 2)
    deferred, listed = harness.new_alert(quiet), [harness.new_alert(digest) for _ in range(5)]
    harness.send_alerts([deferred, *listed])
    harness.wait_for("all are deferred", lambda: harness.count_states([deferred, *listed]) == {"DEFERRED": 6})
    rows = harness.ledger_rows([deferred, *listed])
    assert rows[deferred["alert_id"]]["deferred_for"] == "quiet"
    assert len({rows[alert["alert_id"]]["due_at"] for alert in listed}) == 1
    harness.execute("UPDATE deliveries SET due_at = now() WHERE customer_id = %s", digest)
    harness.wait_for("the digest is out", lambda: harness.count_states(listed) == {"SENT": 5})
    [mail] = harness.mail_server.to(listed[0]["address"])
    assert "5" in mail.subject
    assert mail.text.count("went out (account") == 5
    assert harness.count_states([deferred]) == {"DEFERRED": 1}


@pytest.mark.usefixtures("sender")
def test_what_a_digest_leaves_out_gets_a_key_of_its_own_later(harness: SenderHarness) -> None:
    customer = harness.add_customer(digest="HOURLY")
    known = "SELECT count(*) FROM profiles WHERE customer_id = %s"
    harness.wait_for("the profile", lambda: harness.query_value(known, customer) == 1)
    alert = harness.new_alert(customer)
    harness.send_alerts([alert])
    harness.wait_for("it is deferred", lambda: harness.count_states([alert]) == {"DEFERRED": 1})
    until = (time.time_ns() // 1_000_000) + 3_600_000
    harness.write_settings(customer, snoozed_until=until, digest="HOURLY")
    snoozed = "SELECT settings -> 's1' ->> 'snoozed_until' FROM profiles WHERE customer_id = %s"
    harness.wait_for("it is snoozed", lambda: harness.query_value(snoozed, customer) == str(until))
    harness.execute("UPDATE deliveries SET due_at = now() WHERE customer_id = %s", customer)

    def again() -> bool:
        [row] = harness.ledger_rows([alert]).values()
        return bool(row["attempts"] == 2 and row["state"] == "DEFERRED")

    harness.wait_for("it was looked at", again)
    [row] = harness.ledger_rows([alert]).values()
    assert row["digest_id"] is None


def test_two_processes_share_the_partitions_and_repeat_nothing(harness: SenderHarness) -> None:
    customers = [harness.add_customer() for _ in range(8)]
    alerts = [harness.new_alert(customer) for customer in customers for _ in range(40)]
    first = harness.start_process()
    feeding = threading.Thread(target=harness.send_slowly, args=(alerts, 6.0))
    feeding.start()
    harness.wait_for("the first works", lambda: harness.count_states(alerts)["SENT"] > 20)
    second = harness.start_process()
    harness.wait_for("most are out", lambda: harness.count_states(alerts)["SENT"] > 150)
    assert harness.stop_process(first) == 0
    feeding.join()
    harness.wait_for("all are out", lambda: harness.count_states(alerts) == {"SENT": 320})
    assert harness.stop_process(second) == 0
    ids = Counter(
        mail.id for customer in customers for mail in harness.mail_server.to(f"{customer}@example.com")
    )
    assert len(ids) == 320
    assert set(ids.values()) == {1}


def test_killed_at_random_it_loses_nothing(harness: SenderHarness) -> None:
    customers = [harness.add_customer() for _ in range(8)]
    alerts = [harness.new_alert(customer) for customer in customers for _ in range(50)]
    chance, kills = random.Random(7), 4

    def further(before: int) -> bool:
        return harness.count_states(alerts)["SENT"] > before

    harness.mail_server.delay = 0.01
    feeding = threading.Thread(target=harness.send_slowly, args=(alerts, 10.0))
    feeding.start()
    for _ in range(kills):
        process = harness.start_process("delivery", "--instance", "killed")
        before = harness.count_states(alerts)["SENT"]
        harness.wait_for("it works", partial(further, before))
        time.sleep(chance.random())  # At any point of its work.
        harness.stop_process(process, signal.SIGKILL)
    process = harness.start_process("delivery", "--instance", "killed")
    feeding.join()
    harness.wait_for("all are out", lambda: harness.count_states(alerts) == {"SENT": 400})
    assert harness.stop_process(process) == 0
    harness.mail_server.delay = 0.0
    ids = Counter(
        mail.id for customer in customers for mail in harness.mail_server.to(f"{customer}@example.com")
    )
    assert len(ids) == 400
    # SMTP has no idempotency: a mail that the server took while its sender died comes again, under its id.
    repeated = sum(ids.values()) - 400
    assert repeated <= kills * harness.connections


def test_a_process_that_died_is_taken_over(harness: SenderHarness) -> None:
    alerts = [harness.new_alert(harness.add_customer()) for _ in range(4)]
    dead, other = harness.start_process(), harness.start_process()
    harness.send_alerts(alerts)
    harness.wait_for("all are out", lambda: harness.count_states(alerts)["SENT"] == 4)
    ids = [alert["alert_id"] for alert in alerts]
    # As a process leaves them that dies between its claim and its mark, when their lease ends.
    harness.execute("UPDATE deliveries SET state = 'CLAIMED', due_at = now() WHERE alert_id = ANY (%s)", ids)
    harness.stop_process(dead, signal.SIGKILL)
    harness.wait_for("all are out", lambda: harness.count_states(alerts) == {"SENT": 4})
    assert {row["attempts"] for row in harness.ledger_rows(alerts).values()} == {2}
    assert harness.stop_process(other) == 0
