"""The clock of a demonstration (可拨动时钟): moved on, never back, for every process of the office at once."""

from datetime import datetime, timedelta

from approval.domain.errors import OutOfTurn, Unavailable
from approval.models.clocks import ClockShift
from approval.office import Work


def move(work: Work, by: timedelta) -> datetime:
    """Move the clock on (拨快时钟), and return what it says then: limits run out, timers fire, licences expire.

    Whoever moves it back would undo nothing of what has happened: raises `OutOfTurn`. Raises `Unavailable` where the
    clock is the wall's, as in production it always is.
    """
    if not work.office.settings.clock_moves:
        raise Unavailable(clock=work.office.settings.clock)
    if by < timedelta(0):
        raise OutOfTurn(clock=by.total_seconds())
    shift = work.session.get(ClockShift, 1, with_for_update=True)
    if shift is None:
        shift = ClockShift(id=1, seconds=0)
        work.session.add(shift)
    shift.seconds += int(by.total_seconds())
    return work.now + timedelta(seconds=int(by.total_seconds()))
