"""The headers of dead letters, as the contract has them."""

from account_alerts.kafka.dead_letters import headers


def test_a_dead_letter_says_where_it_stood_and_why() -> None:
    assert headers("account-entries", 3, 17, "entry_id is empty: ž") == [
        ("source.topic", b"account-entries"),
        ("source.partition", b"3"),
        ("source.offset", b"17"),
        ("reason", "entry_id is empty: ž".encode()),
    ]
