"""The demonstration calendar, as a value."""

import tomllib

from hypothesis import strategies

from approval.domain.workdays import Calendar
from approval.services.rehearsals import CITY

CALENDAR = Calendar.from_data(tomllib.loads((CITY / "calendar.toml").read_text(encoding="utf-8")))
DAYS = strategies.dates(CALENDAR.covers_from, CALENDAR.covers_until)
