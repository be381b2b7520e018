"""Writes amounts, days and times as a customer reads them: in their language and their time zone."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from babel.dates import format_date, format_time
from babel.numbers import format_decimal

from account_alerts.model.money import format_minor, locale
from delivery.policy import time_zone
from delivery.rendering.formatting import local_time
from web.texts import Texts

MORNING = time(8)
"""When a snooze ends, by the customer's clock."""
_YEAR = re.compile(r"[,\s]*\by+\b")
"""The year in a pattern of CLDR whose last part it is."""


@dataclass(frozen=True)
class Formats:
    """One customer's way to write values; times are milliseconds UTC."""

    texts: Texts
    zone: str
    """IANA."""
    now: int

    def money(self, minor: int, currency: str) -> str:
        """Write minor units with their currency."""
        return format_minor(minor, currency, self.texts.tag)

    def sign(self, currency: str) -> str:
        """Return the currency's sign, as it stands before a field."""
        return str(locale(self.texts.tag).currency_symbols.get(currency, currency))

    def number(self, number: float) -> str:
        """Write a number."""
        return format_decimal(number, locale=locale(self.texts.tag))

    def window(self, minutes: int) -> str:
        """Write a time span in its largest whole unit: 1 hour, 90 minutes, 7 days."""
        for unit, size in (("days", 1440), ("hours", 60)):
            if minutes and minutes % size == 0:
                count = minutes // size
                return str(self.texts(unit, number=count, count=self.number(count)))
        return str(self.texts("minutes", number=minutes, count=self.number(minutes)))

    def clock(self, ms: int) -> str:
        """Write a time of day: 14:03."""
        return format_time(local_time(ms, self.zone), "short", locale=locale(self.texts.tag))

    def exact(self, ms: int) -> str:
        """Write a time of day with its milliseconds: 14:03:07.120."""
        return f"{local_time(ms, self.zone):%H:%M:%S}.{ms % 1000:03d}"

    def iso(self, ms: int) -> str:
        """Write a time for the attribute `datetime`."""
        return local_time(ms, self.zone).isoformat()

    def moment(self, ms: int) -> str:
        """Write day and time: Tuesday 1 December, 8:00."""
        return f"{self._long_day(self._day(ms))}, {self.clock(ms)}"

    def soon(self, ms: int) -> str:
        """Write a time, and the day where it is not today."""
        return self.clock(ms) if self._day(ms) == self.today else self.moment(ms)

    def day(self, ms: int) -> str:
        """Write a day as a heading: Today, Yesterday, Friday 27 November."""
        day = self._day(ms)
        if day == self.today:
            return str(self.texts("today"))
        if day == self.today - timedelta(days=1):
            return str(self.texts("yesterday"))
        return self._long_day(day)

    @property
    def today(self) -> date:
        """The customer's day."""
        return self._day(self.now)

    @property
    def tomorrow(self) -> str:
        """The customer's next day, as a field for days has it."""
        return (self.today + timedelta(days=1)).isoformat()

    def morning(self, days: int) -> int:
        """Return the morning in so many days, as snoozes end."""
        return self.morning_of(self.today + timedelta(days=days))

    def morning_of(self, day: date) -> int:
        """Return a day's morning; the first one where the clock shows it twice."""
        at = datetime.combine(day, MORNING, time_zone(self.zone))
        return round(at.astimezone(UTC).timestamp() * 1000)

    def _day(self, ms: int) -> date:
        return local_time(ms, self.zone).date()

    def _long_day(self, day: date) -> str:
        chosen = locale(self.texts.tag)
        full = chosen.date_formats["full"].pattern
        return format_date(day, full if day.year != self.today.year else _YEAR.sub("", full), locale=chosen)
