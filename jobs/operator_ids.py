"""Ids of the operators that hold state, by which a savepoint finds them in another version of the job."""

import re

from pyflink.table import StreamTableEnvironment


def give_stable_ids(table_env: StreamTableEnvironment) -> None:
    """Name what holds state after its table or part, so that a savepoint fits the job after SQL has changed.

    Flink's own ids of SQL operators are numbers in the order of planning: one more column, and they all move.

    Raises:
        ValueError: Two operators would have the same id.
    """
    seen: dict[str, int] = {}
    numbered: dict[int, str] = {}
    for sink in table_env._j_tenv.execEnv().getTransformations():
        for operator in sink.getTransitivePredecessors():
            name = _STATEFUL.get(re.sub(r"\[\d+\]", "", operator.getName()))
            stable = _stable_id(operator.getClass().getSimpleName(), operator.getName())
            if name:
                # A rule may join twice: numbered in the order of the plan.
                count = sum(each.rpartition("-")[0] == name for each in numbered.values())
                stable = numbered.setdefault(operator.getId(), f"{name}-{count + 1}")
            if stable is None:
                continue
            if seen.setdefault(stable, operator.getId()) != operator.getId():
                raise ValueError(f"two operators would have the id {stable!r}: read each table in one place")
            operator.setUid(stable)


def operators(table_env: StreamTableEnvironment) -> dict[str, list[str]]:
    """Return the operators that hold state by id, and for keyed state the types of the rows it is made of."""
    found: dict[str, list[str]] = {}
    for sink in table_env._j_tenv.execEnv().getTransformations():
        for operator in sink.getTransitivePredecessors():
            uid = operator.getUid()
            if uid is None or _NUMBERED.match(uid):
                continue
            kind = operator.getClass().getSimpleName()
            keyed = kind in _WITH_KEYS and operator.getStateKeyType() is not None
            inputs = operator.getInputs() if keyed else []
            found[uid] = [str(each.getOutputType().toString()) for each in inputs]
    return found


_STATEFUL = {
    "Deduplicate": "first-of-each",
    "IntervalJoin": "join-in-time",
    "Join": "join-all",
    "OverAggregate": "aggregate-over",
    "GroupAggregate": "aggregate",
    "Rank": "rank",
}
"""What of SQL has keyed state, by how Flink calls it, and how its id begins."""
_NUMBERED = re.compile(r"\d+_")
"""Flink's own ids, of what holds no state."""
_WITH_KEYS = ("OneInputTransformation", "TwoInputTransformation", "KeyedMultipleInputTransformation")


def _stable_id(kind: str, name: str) -> str | None:
    table = re.sub(r"^Source: |\[\d+\]", "", name).rpartition(".")[2]
    if kind.endswith("SourceTransformation"):
        return f"read-{table}"
    if kind == "SinkTransformation":
        return f"write-{table}"
    return "join-rules" if table == "TemporalJoin" else None
