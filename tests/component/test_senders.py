"""The senders with a real Kafka, PostgreSQL and mail server: nobody is told twice, nobody is missed."""

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
from operations.dead_letters import read as read_letters
from tests.component.post import Post, steps

pytestmark = pytest.mark.environment


@pytest.fixture(scope="module")
def post(kafka: Config, postgres: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    """Everything but senders runs."""
    assert kafka is postgres
    own = Post(kafka, tmp_path_factory.mktemp("senders"))
    own.server.start()
    try:
        own.start("delivery.profiles.consumer")
        yield own
    finally:
        own.close()


@pytest.fixture
def sender(post: Post) -> Iterator[None]:
    """One sender runs; at the end it leaves in order."""
    process = post.start()
    yield
    assert post.stop(process) == 0


@pytest.mark.usefixtures("sender")
def test_one_mail_for_an_alert_however_often_kafka_has_it(post: Post) -> None:
    customer = post.customer()
    alerts = [post.alert(customer) for _ in range(100)]
    for _ in range(3):
        post.put(alerts)
    last = post.alert(customer)
    post.put([last])
    post.wait("all are out", lambda: post.states([*alerts, last])["handed over"] == 101)
    assert len(post.server.to(f"{customer}@example.com")) == 101
    row = post.rows([last])[last["alert_id"]]
    assert (row["due_at"], row["attempts"], row["reason"], steps(row)) == (None, 1, None, [])
    assert row["written_at"] <= row["received_at"] <= row["handed_over_at"]
    assert post.metrics()['sender_handed_over_total{channel="EMAIL"}'] >= 101


def test_no_statement_reads_more_than_its_own_rows(post: Post) -> None:
    # PostgreSQL plans while the ledger is empty, and keeps its plans while it grows.
    post.execute("TRUNCATE deliveries")
    process = post.start()
    customer = post.customer()
    count = 1_000
    post.wait("the sender", post.is_ready)
    read = "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE indexrelname = 'deliveries_pkey'"
    before = post.value(read)
    post.trickle([post.alert(customer) for _ in range(count)], 10)
    handed_over = 'sender_handed_over_total{channel="EMAIL"}'
    post.wait("all are out", lambda: post.metrics().get(handed_over, 0) == count)
    assert post.stop(process) == 0  # The last that it did is counted when its connections end.
    written = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'deliveries'"
    post.wait("the last is counted", lambda: post.value(written) >= count)
    assert 0 < post.value(read) - before < 5 * count


@pytest.mark.usefixtures("sender")
def test_what_no_gateway_takes_and_what_is_no_alert_become_dead_letters(post: Post) -> None:
    customer = post.customer()
    gone = post.alert(customer, address=f"gone-{customer}@example.com")
    topic = post.config.topics.outbound_email.name
    garbage = f"garbage {customer}".encode()
    send_all(post.config, [(topic, customer.encode(), garbage)])
    after = post.alert(customer)
    post.put([gone, after])
    post.wait("both are done", lambda: post.states([gone, after]) == {"refused": 1, "handed over": 1})
    letters = {letter.value: letter for letter in read_letters(post.config) if letter.topic == topic}
    assert letters[garbage].key == customer.encode()
    refused = letters[post.codec.encode("OutboundAlert", gone, topic)]
    assert "550" in refused.reason
    row = post.rows([gone])[gone["alert_id"]]
    assert (refused.partition, refused.offset) == (row["source_partition"], row["source_offset"])


@pytest.mark.usefixtures("sender")
def test_an_address_that_is_stuck_or_busy_does_not_stop_others(post: Post) -> None:
    customer = post.customer()
    busy, stuck = (
        post.alert(customer, address=f"{name}-{customer}@example.com") for name in ("later", "stuck")
    )
    others = [post.alert(customer) for _ in range(50)]
    post.put([stuck, busy, *others])
    post.wait("the others are out", lambda: post.states(others)["handed over"] == 50)
    post.wait("it is out too", lambda: post.states([busy])["handed over"] == 1)
    row = post.rows([busy])[busy["alert_id"]]
    assert row["attempts"] == 3
    assert steps(row) == ["retry"]  # The same reason twice is one step.
    post.wait("and the stuck one", lambda: post.states([stuck])["handed over"] == 1)


@pytest.mark.usefixtures("sender")
def test_a_gateway_that_was_down_gets_everything_once(post: Post) -> None:
    customer = post.customer()
    post.server.stop()
    try:
        alerts = [post.alert(customer) for _ in range(200)]
        post.put(alerts)
        post.wait("all are in the ledger", lambda: post.states(alerts) == {"retry": 200})
        assert post.metrics()['sender_gateway_up{channel="EMAIL",route="EMAIL"}'] == 0
    finally:
        post.server.start()
    post.wait("all are out", lambda: post.states(alerts) == {"handed over": 200})
    ids = Counter(mail.id for mail in post.server.to(f"{customer}@example.com"))
    assert len(ids) == 200
    assert set(ids.values()) == {1}


@pytest.mark.usefixtures("sender")
def test_held_alerts_go_out_unless_something_has_changed(post: Post) -> None:
    later = time.time_ns() // 1_000_000 + 3_600_000
    kept, unauthorized, moved, left = (post.customer(snoozed_until=later) for _ in range(4))
    alerts = {customer: post.alert(customer) for customer in (kept, unauthorized, moved, left)}
    known = "SELECT count(*) FROM profiles WHERE customer_id = ANY (%s)"
    post.wait("profiles", lambda: post.value(known, list(alerts)) == 4)
    post.put(alerts.values())
    post.wait("all are held", lambda: post.states(alerts.values()) == {"held": 4})
    assert not post.server.to(alerts[kept]["address"])
    post.authorize(unauthorized)
    post.settings(moved, addresses=[{"channel": "EMAIL", "address": "new@example.com"}])
    post.forget(left)
    post.settings(kept)
    snoozed = "SELECT settings -> 's1' ->> 'snoozed_until' FROM profiles WHERE customer_id = %s"
    gone = "SELECT count(*) FROM profiles WHERE customer_id = %s"
    taken = "SELECT cardinality(customer_ids) FROM account_access WHERE account_id = %s"
    post.wait("it sleeps no more", lambda: post.value(snoozed, kept) is None)
    post.wait("he has moved", lambda: post.value(snoozed, moved) is None)
    post.wait("he has left", lambda: post.value(gone, left) == 0)
    post.wait("it is withdrawn", lambda: post.value(taken, f"a-{unauthorized}") == 0)
    post.execute("UPDATE deliveries SET due_at = now() WHERE customer_id = ANY (%s)", list(alerts))
    post.wait("all are done", lambda: post.states(alerts.values()) == {"handed over": 1, "withdrawn": 3})
    rows = post.rows(alerts.values())
    reasons = {customer: rows[alert["alert_id"]]["reason"] for customer, alert in alerts.items()}
    assert reasons[kept] is None
    assert "authorized" in reasons[unauthorized]
    assert "address" in reasons[moved]
    assert "left" in reasons[left]
    assert steps(rows[alerts[kept]["alert_id"]]) == ["held"]
    assert len(post.server.to(alerts[kept]["address"])) == 1


@pytest.mark.usefixtures("sender")
def test_quiet_hours_hold_and_a_digest_is_one_mail(post: Post) -> None:
    quiet = post.customer(quiet_from="00:00", quiet_to="23:59")
    digest = post.customer(digest="HOURLY")
    known = "SELECT count(*) FROM profiles WHERE customer_id = ANY (%s)"
    post.wait("profiles", lambda: post.value(known, [quiet, digest]) == 2)
    held, listed = post.alert(quiet), [post.alert(digest) for _ in range(5)]
    post.put([held, *listed])
    post.wait("all are held", lambda: post.states([held, *listed]) == {"held": 6})
    rows = post.rows([held, *listed])
    assert rows[held["alert_id"]]["held_for"] == "quiet"
    assert len({rows[alert["alert_id"]]["due_at"] for alert in listed}) == 1
    post.execute("UPDATE deliveries SET due_at = now() WHERE customer_id = %s", digest)
    post.wait("the digest is out", lambda: post.states(listed) == {"handed over": 5})
    [mail] = post.server.to(listed[0]["address"])
    assert "5" in mail.subject
    assert mail.text.count("went out of account") == 5
    assert post.states([held]) == {"held": 1}


@pytest.mark.usefixtures("sender")
def test_what_a_digest_leaves_out_gets_a_key_of_its_own_later(post: Post) -> None:
    customer = post.customer(digest="HOURLY")
    known = "SELECT count(*) FROM profiles WHERE customer_id = %s"
    post.wait("the profile", lambda: post.value(known, customer) == 1)
    alert = post.alert(customer)
    post.put([alert])
    post.wait("it is held", lambda: post.states([alert]) == {"held": 1})
    until = (time.time_ns() // 1_000_000) + 3_600_000
    post.settings(customer, snoozed_until=until, digest="HOURLY")
    snoozed = "SELECT settings -> 's1' ->> 'snoozed_until' FROM profiles WHERE customer_id = %s"
    post.wait("it is snoozed", lambda: post.value(snoozed, customer) == str(until))
    post.execute("UPDATE deliveries SET due_at = now() WHERE customer_id = %s", customer)

    def again() -> bool:
        [row] = post.rows([alert]).values()
        return bool(row["attempts"] == 2 and row["state"] == "held")

    post.wait("it was looked at", again)
    [row] = post.rows([alert]).values()
    assert row["digest_id"] is None


def test_two_processes_share_the_partitions_and_repeat_nothing(post: Post) -> None:
    customers = [post.customer() for _ in range(8)]
    alerts = [post.alert(customer) for customer in customers for _ in range(40)]
    first = post.start()
    feeding = threading.Thread(target=post.trickle, args=(alerts, 6.0))
    feeding.start()
    post.wait("the first works", lambda: post.states(alerts)["handed over"] > 20)
    second = post.start()
    post.wait("most are out", lambda: post.states(alerts)["handed over"] > 150)
    assert post.stop(first) == 0
    feeding.join()
    post.wait("all are out", lambda: post.states(alerts) == {"handed over": 320})
    assert post.stop(second) == 0
    ids = Counter(mail.id for customer in customers for mail in post.server.to(f"{customer}@example.com"))
    assert len(ids) == 320
    assert set(ids.values()) == {1}


def test_killed_at_random_it_loses_nothing(post: Post) -> None:
    customers = [post.customer() for _ in range(8)]
    alerts = [post.alert(customer) for customer in customers for _ in range(50)]
    chance, kills = random.Random(7), 4

    def further(before: int) -> bool:
        return post.states(alerts)["handed over"] > before

    post.server.delay = 0.01
    feeding = threading.Thread(target=post.trickle, args=(alerts, 10.0))
    feeding.start()
    for _ in range(kills):
        process = post.start("senders", "--instance", "killed")
        before = post.states(alerts)["handed over"]
        post.wait("it works", partial(further, before))
        time.sleep(chance.random())  # At any point of its work.
        post.stop(process, signal.SIGKILL)
    process = post.start("senders", "--instance", "killed")
    feeding.join()
    post.wait("all are out", lambda: post.states(alerts) == {"handed over": 400})
    assert post.stop(process) == 0
    post.server.delay = 0.0
    ids = Counter(mail.id for customer in customers for mail in post.server.to(f"{customer}@example.com"))
    assert len(ids) == 400
    # SMTP has no idempotency: a mail that the server took while its sender died comes again, under its id.
    repeated = sum(ids.values()) - 400
    assert repeated <= kills * post.connections


def test_a_process_that_died_is_stood_in_for(post: Post) -> None:
    alerts = [post.alert(post.customer()) for _ in range(4)]
    dead, other = post.start(), post.start()
    post.put(alerts)
    post.wait("all are out", lambda: post.states(alerts)["handed over"] == 4)
    ids = [alert["alert_id"] for alert in alerts]
    # As a process leaves them that dies between its claim and its mark, when their lease ends.
    post.execute("UPDATE deliveries SET state = 'claimed', due_at = now() WHERE alert_id = ANY (%s)", ids)
    post.stop(dead, signal.SIGKILL)
    post.wait("all are out", lambda: post.states(alerts) == {"handed over": 4})
    assert {row["attempts"] for row in post.rows(alerts).values()} == {2}
    assert post.stop(other) == 0
