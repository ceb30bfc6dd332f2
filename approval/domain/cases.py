"""The case (办件) and where it may go: the state machine of the licensing law, nothing else."""

from enum import StrEnum

from approval.domain.errors import IllegalStep


class Status(StrEnum):
    """Where a case stands (办件状态)."""

    FILED = "filed"  # 待受理
    CORRECTING = "correcting"  # 补正中
    ACCEPTED = "accepted"  # 已受理, under examination
    GRANTED = "granted"  # 准予
    REFUSED = "refused"  # 不予
    CONCLUDED = "concluded"  # 办结
    DECLINED = "declined"  # 不予受理
    WITHDRAWN = "withdrawn"  # 撤回
    TERMINATED = "terminated"  # 终止


_STEPS: dict[Status, frozenset[Status]] = {
    # 行政许可法第三十二条: tell once what is missing, decline or accept.
    Status.FILED: frozenset({Status.CORRECTING, Status.ACCEPTED, Status.DECLINED, Status.WITHDRAWN}),
    Status.CORRECTING: frozenset({Status.FILED, Status.WITHDRAWN, Status.TERMINATED}),
    # 第三十八条: a decision is granted or refused; the applicant may withdraw until then.
    Status.ACCEPTED: frozenset({Status.GRANTED, Status.REFUSED, Status.WITHDRAWN, Status.TERMINATED}),
    Status.GRANTED: frozenset({Status.CONCLUDED}),
    Status.REFUSED: frozenset({Status.CONCLUDED}),
}

FINAL = frozenset(Status) - frozenset(_STEPS)
DECISIONS = frozenset({Status.GRANTED, Status.REFUSED})


def next_steps(status: Status) -> frozenset[Status]:
    """Name where a case may go from a status (可办步骤); none from a final one."""
    return _STEPS.get(status, frozenset())


def step(old: Status, new: Status) -> Status:
    """Take a case one step on (办件状态变更) and return the new status.

    Raises `IllegalStep` naming both when the law knows no such step (行政许可法第三十二条、第三十八条).
    """
    if new not in next_steps(old):
        raise IllegalStep(status=old.value, asked=new.value)
    return new
