"""Whether a new version of a job fits the state of the one that runs."""

from operations.state_compatibility import incompatible, new_operators, redundant_drops

JOIN = [
    "ROW<`a` STRING NOT NULL, `b` DECIMAL(20, 0)> NOT NULL",
    "ROW<`r` ARRAY<ROW<`x` INT, `y` INT>>> NOT NULL",
]
OLD = {"join-rules": JOIN, "read-old": []}


def test_the_same_fits() -> None:
    assert incompatible(OLD, OLD) == []


def test_more_operators_fit() -> None:
    new = {**OLD, "count": ["ROW<`a` INT>"]}
    assert incompatible(OLD, new) == []
    assert new_operators(OLD, new) == ["count"]


def test_an_operator_that_is_gone_is_named_unless_it_may_go() -> None:
    [reason] = incompatible(OLD, {"join-rules": JOIN})
    assert reason.startswith("read-old: ")
    assert "--drop read-old" in reason
    assert incompatible(OLD, {"join-rules": JOIN}, ["read-old"]) == []


def test_other_columns_are_named() -> None:
    more = [JOIN[0].replace(" NOT NULL,", " NOT NULL, `c` BIGINT,", 1), JOIN[1]]
    [reason] = incompatible(OLD, {**OLD, "join-rules": more})
    assert reason == "join-rules: its state has other rows in the new version: with `c` BIGINT"
    changed = [JOIN[0], JOIN[1].replace("`y` INT", "`y` BIGINT")]
    [reason] = incompatible(OLD, {**OLD, "join-rules": changed})
    assert "without `r` ARRAY<ROW<`x` INT, `y` INT>>, with `r` ARRAY<ROW<`x` INT, `y` BIGINT>>" in reason


def test_columns_in_another_order_do_not_fit() -> None:
    turned = ["ROW<`b` DECIMAL(20, 0), `a` STRING NOT NULL> NOT NULL", JOIN[1]]
    assert "order" in incompatible(OLD, {**OLD, "join-rules": turned})[0]


def test_another_number_of_inputs_does_not_fit() -> None:
    assert "2 inputs, now 1" in incompatible(OLD, {**OLD, "join-rules": JOIN[:1]})[0]


def test_what_may_be_lost_must_be_there_and_be_gone() -> None:
    new = {"join-rules": JOIN}
    assert redundant_drops(OLD, new, ["read-old"]) == []
    assert "has state in neither" in redundant_drops(OLD, new, ["typo"])[0]
    assert "is in the new version, too" in redundant_drops(OLD, new, ["join-rules"])[0]
