"""`python -m bench counting`: counting card bookings in Java and in Python, each function alone.

The same made-up bookings go through count_card_bookings, the process table function that counts as the job
does, with the two settings of an account that count, and through a keyed function in Python, in thread mode,
which does less: it gets one of them, and never forgets a booking. Making up the bookings is in both figures.
One task, one process, the heap backend; two runs of different length, so that neither start nor end is in
them.
"""

import time
from array import array
from bisect import bisect_right, insort
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer
from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.state import MapStateDescriptor
from pyflink.table import StreamTableEnvironment

from account_alerts.config import PROJECT, load
from jobs.runner import prepare_process
from jobs.sql import values

_HOUR = 3_600_000
_WINDOW_MINUTES = 60
_SPACING = 60_000
"""Milliseconds between the bookings of an account: sixty in a window."""
_COUNT = 10**9
"""More than there are: the function alone is measured, not what it raises."""
_CUSTOMERS = ("C0123456789", "C1123456789")


class Way(StrEnum):
    """What is measured."""

    JAVA = "java"
    PYTHON = "python"


class CountInPython(KeyedProcessFunction):  # type: ignore[misc]
    """The number of distinct bookings in the window of each, and the notes of what it raised; times in
    milliseconds UTC."""

    def open(self, runtime_context: RuntimeContext) -> None:
        """Prepare the state: bookings by id, their times by hour, what is raised."""
        text, times = Types.STRING(), Types.PRIMITIVE_ARRAY(Types.BYTE())
        self._seen = runtime_context.get_map_state(MapStateDescriptor("seen", text, Types.LONG()))
        self._times = runtime_context.get_map_state(MapStateDescriptor("times", Types.LONG(), times))
        self._raised = runtime_context.get_map_state(MapStateDescriptor("raised", text, Types.BOOLEAN()))

    def process_element(self, booking: Row, ctx: KeyedProcessFunction.Context) -> Iterator[str]:
        """One card booking; its id where it raises the rule."""
        entry_id, booked_at = booking.entry_id, booking.booked_ms
        if self._seen.contains(entry_id):
            return
        self._seen.put(entry_id, booked_at)
        hour = booked_at // _HOUR
        of_hour = self._of(hour)
        insort(of_hour, booked_at)
        self._times.put(hour, of_hour.tobytes())
        start = booked_at - booking.window_minutes * 60_000
        number = bisect_right(of_hour, booked_at) - bisect_right(of_hour, start)
        for each in range(start // _HOUR, hour):
            earlier = self._of(each)
            number += len(earlier) - bisect_right(earlier, start)
        name = f"{len(booking.customer_id)}:{booking.customer_id}{booking.setting_id}"
        already = self._raised.contains(name)
        if number > booking.most and not already:
            self._raised.put(name, True)
            yield entry_id
        elif number <= booking.most and already:
            self._raised.remove(name)

    def _of(self, hour: int) -> "array[int]":
        # Asked for first: in thread mode Flink 2.3 fails on an array that is not there.
        return array("q", bytes(self._times.get(hour)) if self._times.contains(hour) else b"")


def measure(way: Way, bookings: int, accounts: int) -> float:
    """Seconds that so many bookings take, the job's start included."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    table_env = StreamTableEnvironment.create(env)
    for key, value in {
        "pipeline.object-reuse": "true",
        "python.execution-mode": "thread",
        "table.local-time-zone": "UTC",
        "state.backend.type": "hashmap",
    }.items():
        table_env.get_config().set(key, value)
    _make_bookings(table_env, bookings, accounts)
    if way is Way.JAVA:
        table_env.create_java_temporary_function("count_card_bookings", "alerts.count.CountCardBookings")
        known = values(load(PROJECT / "conf/local.yaml"))
        query = f"""SELECT entry_id FROM count_card_bookings(
          booking => TABLE counted_bookings PARTITION BY (account_id, currency),
          reach => CAST({known["count_reach"]} AS BIGINT), kept => CAST({known["count_kept"]} AS BIGINT),
          uid => 'count-card-bookings')"""
        table_env.create_temporary_view("raised", table_env.sql_query(query))
    else:
        flat = table_env.to_data_stream(table_env.from_path("flat_bookings"))
        counted = flat.key_by(lambda row: row.account_id).process(CountInPython(), Types.STRING())
        table_env.create_temporary_view("raised", counted)
    began = time.monotonic()
    table_env.execute_sql("INSERT INTO nowhere SELECT * FROM raised").wait()
    return time.monotonic() - began


def _make_bookings(table_env: StreamTableEnvironment, bookings: int, accounts: int) -> None:
    """Make the tables of bookings, with all rules of the account and with the counting one, and a sink."""
    table_env.execute_sql(
        f"""CREATE TEMPORARY TABLE numbers (number BIGINT NOT NULL) WITH (
          'connector' = 'datagen', 'rows-per-second' = '100000000', 'fields.number.kind' = 'sequence',
          'fields.number.start' = '0', 'fields.number.end' = '{bookings - 1}')"""
    )
    table_env.execute_sql("CREATE TEMPORARY TABLE nowhere (entry_id STRING) WITH ('connector' = 'blackhole')")
    start = time.time_ns() // 1_000_000 - 1_000 * _HOUR
    # Spread over the accounts by a step that has no factor in common with any usual number of them.
    drawn = f"""SELECT 'E' || LPAD(CAST(number AS STRING), 9, '0') AS entry_id,
      'A' || LPAD(CAST(MOD(number * 7919, {accounts}) AS STRING), 9, '0') AS account_id,
      {start} + number / {accounts} * {_SPACING} + MOD(number, {_SPACING}) AS booked_ms FROM numbers"""
    rules = ", ".join(_rule(customer) for customer in _CUSTOMERS)
    views = {
        "counted_bookings": f"""SELECT account_id, 'CZK' AS currency, entry_id,
          CAST(1 AS BIGINT) AS amount_minor, 'DBIT' AS credit_debit, CAST(1 AS BIGINT) AS balance_minor,
          TO_TIMESTAMP_LTZ(booked_ms, 3) AS booked_at,
          TO_TIMESTAMP_LTZ(booked_ms, 3) AS rules_time,
          ARRAY[{rules}] AS rules FROM ({drawn})""",
        "flat_bookings": f"""SELECT account_id, entry_id, booked_ms, '{_CUSTOMERS[0]}' AS customer_id,
          'S' AS setting_id, {_COUNT} AS most, {_WINDOW_MINUTES} AS window_minutes FROM ({drawn})""",
    }
    for name, query in views.items():
        table_env.create_temporary_view(name, table_env.sql_query(query))


def _rule(customer: str) -> str:
    """Return a setting that counts as SQL, with what the benchmark's customers have."""
    addresses = f"'{customer}@example.com', '+420600000000', '{customer}'"
    return f"""CAST(
      ROW('{customer}', 'S', {_COUNT}, {_WINDOW_MINUTES}, 'en', ARRAY['EMAIL'], ARRAY['EMAIL', 'SMS', 'PUSH'],
          ARRAY[{addresses}], CAST(NULL AS BIGINT))
      AS ROW<customer_id STRING, setting_id STRING, `count` INT, window_minutes INT, `language` STRING,
        channels ARRAY<STRING>, address_channels ARRAY<STRING>, addresses ARRAY<STRING>, valid_to BIGINT>)"""


def main(
    ways: Annotated[list[Way] | None, typer.Argument(help="All of them without an argument.")] = None,
    bookings: Annotated[int, typer.Option(min=10_000, help="Of the long run; the short one has a third.")] = (
        900_000
    ),
    accounts: Annotated[int, typer.Option(min=1)] = 10_000,
) -> None:
    """Print what each way takes for a booking, in microseconds.

    By-passed: Kafka, the temporal join and the alerts; bookings and settings are made up.
    """
    prepare_process()
    for way in ways or list(Way):
        measure(way, bookings // 3, accounts)  # For Java's compiler.
        short = measure(way, bookings // 3, accounts)
        long = measure(way, bookings, accounts)
        each = (long - short) / (bookings - bookings // 3)
        took = f"{short:.1f} s and {long:.1f} s"
        typer.echo(f"{way}: {each * 1e6:.1f} µs a booking, {1 / each:,.0f}/s ({took})")
