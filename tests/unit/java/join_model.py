"""What the temporal join must give, as plainly as possible: nothing forgotten, each moment looked at."""

from collections import defaultdict
from typing import Any

from account_alerts.model.alerts import AMOUNT_TYPES
from tests.reference.model import valid

Step = dict[str, Any]
Rows = list[list[Any]]


class History:
    """The values one thing had, each from a time on."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.since: list[int] = []
        self.values: list[Any] = []

    def put(self, at: int, value: Any) -> None:
        """Add a value; the same again is no change, and none begins before the one it follows."""
        if self.values and self.values[-1] == value:
            return
        self.since.append(max([at, *self.since[-1:]]))
        self.values.append(value)

    def place(self, at: int) -> int:
        """Which of the values holds at a time; -1 before the first."""
        return sum(since <= at for since in self.since) - 1

    def at(self, at: int) -> Any:
        """The value at a time."""
        place = self.place(at)
        return None if place < 0 else self.values[place]


class Model:
    """Histories, bookings that wait, and the watermark."""

    def __init__(self, tick: int, reach: int) -> None:
        """Times are multiples of `tick`; `reach`: how long after its end a setting that counts is told of."""
        self.tick = tick
        self.reach = reach
        self.authorized: dict[str, History] = defaultdict(History)
        self.asked: dict[tuple[str, str], History] = defaultdict(History)
        self.named: dict[str, set[str]] = defaultdict(set)
        self.waiting: list[Step] = []
        self.watermark = -1

    def do(self, step: Step) -> Step:
        """What must come of a step, in any order."""
        came: Step = {"candidates": [], "counted": []}
        match step["do"]:
            case "authorization":
                who = step["customer_ids"]
                self.authorized[step["account_id"]].put(step["at"], who and list(dict.fromkeys(who)))
            case "settings":
                came["invalid"] = self._settings(step)
            case "booking":
                self.waiting.append(step)
            case "watermark":
                self.watermark = step["at"]
            case "restore":
                self.watermark = -1
        due = [each for each in self.waiting if each["at"] <= self.watermark]
        self.waiting = [each for each in self.waiting if each["at"] > self.watermark]
        for each in due:
            came["candidates"] += self._candidates(each)
            came["counted"] += self._counted(each) if each["countable"] else []
        return came

    def _settings(self, step: Step) -> list[str]:
        if step["reason"] is not None:
            return []
        record = step["record"] or {"settings": []}
        good: dict[str, tuple[list[Any], list[Any]]] = defaultdict(lambda: ([], []))
        skipped = []
        for setting in record["settings"]:
            counts = setting["alert_type"] == "TRANSACTION_COUNT"
            if not counts and setting["alert_type"] not in AMOUNT_TYPES:
                continue
            if valid(setting):
                good[setting["account_id"]][counts].append(setting)
            else:
                skipped.append(setting["setting_id"])
        for account in self.named[step["customer_id"]] | good.keys():
            value = {**record, "good": good[account]} if account in good else None
            if value:
                del value["settings"]
            self.asked[account, step["customer_id"]].put(step["at"], value)
        self.named[step["customer_id"]] = set(good)
        return ["invalid settings: " + ", ".join(skipped)] if skipped else []

    def _candidates(self, booking: Step) -> Rows:
        rows = []
        for customer in self.authorized[booking["account_id"]].at(booking["at"]) or ():
            asked = self.asked[booking["account_id"], customer].at(booking["at"])
            for setting in asked["good"][0] if asked else ():
                if setting["currency"] == booking["currency"]:
                    shown = ("setting_id", "alert_type", "currency")
                    rows.append(
                        [
                            *(booking["entry_id"], customer, *(setting[name] for name in shown)),
                            *(asked["language"], setting["threshold_minor"], setting["channels"]),
                            *_addresses(asked),
                        ]
                    )
        return rows

    def _counted(self, booking: Step) -> Rows:
        rows: Rows = []
        account, now = booking["account_id"], booking["at"]
        for (named, customer), history in self.asked.items():
            known: set[str] = set()
            for moment in range(now, now - self.reach - 1, -self.tick) if named == account else ():
                if customer not in (self.authorized[account].at(moment) or ()) or not history.at(moment):
                    continue
                asked = history.at(moment)
                counting = [each for each in asked["good"][1] if each["currency"] == booking["currency"]]
                for setting in counting:
                    if setting["setting_id"] not in known:
                        shown = ("setting_id", "count", "window_minutes")
                        rows.append(
                            [
                                *(booking["entry_id"], customer, *(setting[name] for name in shown)),
                                *(asked["language"], setting["channels"], *_addresses(asked)),
                                self._end(account, customer, moment, now),
                            ]
                        )
                known |= {setting["setting_id"] for setting in counting}
        return rows

    def _end(self, account: str, customer: str, moment: int, now: int) -> int | None:
        """When what a customer asked for at a moment came to an end for them, if it had by now."""
        history = self.asked[account, customer]
        place = history.place(moment)
        for later in range(moment, now + self.tick, self.tick):
            if history.place(later) != place or customer not in (self.authorized[account].at(later) or ()):
                return later
        return None


def _addresses(asked: Step) -> Rows:
    return [[each[name] for each in asked["addresses"]] for name in ("channel", "address")]
