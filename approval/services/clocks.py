"""The clock of a demonstration (可拨动时钟): moved on, never back, for every process of the office at once."""

from datetime import datetime, timedelta

from sqlalchemy import text

from approval.domain.errors import OutOfTurn, Unavailable
from approval.office import Work

# One statement, so that of two at once each moves it.
_MOVE = text(
    "INSERT INTO clock_shifts (id, seconds) VALUES (1, :seconds) "
    "ON CONFLICT (id) DO UPDATE SET seconds = clock_shifts.seconds + excluded.seconds"
)


def move(work: Work, by: timedelta) -> datetime:
    """Move the clock on (拨快时钟), and return what it says then: limits run out, timers fire, licences expire.

    Whoever moves it back would undo nothing of what has happened: raises `OutOfTurn`. Raises `Unavailable` where the
    clock is the wall's, as in production it always is.
    """
    if not work.office.settings.clock_moves:
        raise Unavailable(clock=work.office.settings.clock)
    if by < timedelta(0):
        raise OutOfTurn(clock=by.total_seconds())
    seconds = int(by.total_seconds())
    work.session.execute(_MOVE, {"seconds": seconds})
    return work.now + timedelta(seconds=seconds)
