"""What a sender reports of its ledger."""

from account_alerts.model.alerts import DeliveryState
from delivery.alert import Delivery
from delivery.worker.capacity import Capacity
from delivery.worker.housekeeping import report_once
from tests.unit.delivery.alerts import delivery
from tests.unit.delivery.fakes import Row, World, run


def test_a_route_is_overdue_when_something_is_due_and_not_sent() -> None:
    async def work() -> None:
        world = World()
        now = world.clock.now_ms()

        def put(name: str, route: str, state: DeliveryState, due_in: int) -> None:
            alert: Delivery = delivery(route=route)
            world.table.rows[name] = Row(alert, state, "p1", now + due_in)

        async def report() -> None:
            await report_once(world.ledger, world.alerts, Capacity(10), world.metrics)

        await report()
        assert world.count("oldest_overdue_alert_seconds", route="EMAIL") == 0
        put("busy address", "EMAIL", DeliveryState.RETRYING, 300_000)
        put("down since", "FCM", DeliveryState.RETRYING, -90_000)
        put("down too", "FCM", DeliveryState.DEFERRED, -60_000)
        await report()
        assert world.count("oldest_overdue_alert_seconds", route="EMAIL") == 0
        assert world.count("oldest_overdue_alert_seconds", route="FCM") == 90
        assert world.count("pending_alerts", state="RETRYING") == 2
        world.table.rows.clear()
        await report()
        labels = {"channel": "EMAIL", "route": "FCM"}
        name = "account_alerts_sender_oldest_overdue_alert_seconds"
        assert world.registry.get_sample_value(name, labels) is None, "a route that is gone has no series"
        assert world.count("pending_alerts", state="RETRYING") == 0

    run(work)
