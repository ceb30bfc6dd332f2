"""Cards (红黄牌): what supervision is told of by the very act or silence that it looks at."""

from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy import select

from approval.models.cards import Card
from approval.models.cases import Case
from approval.office import Work
from approval.services import items, journal, statutes


def give(work: Work, case: Case, code: str) -> None:
    """Give a card to the department that answers for a case (亮牌), where the rule is in force today.

    In the Work of what it is given for, right after that was written into the journal.
    """
    rule = statutes.cards().get(code)
    if rule is None or work.today < rule.valid_from:
        return
    department = items.pack_of(work, case).manifest.department
    of = {"case_id": case.id, "department_code": department, "given_at": work.now, "line": case.lines}
    work.session.add(Card(id=uuid4(), code=rule.code, signal=rule.signal, **of))
    journal.write(work, case, "card:given", rule=rule.code, signal=rule.signal)


def of_case(work: Work, case: Case) -> Sequence[Card]:
    """List the cards of a case (办件的红黄牌), oldest first."""
    given = select(Card).where(Card.case_id == case.id)
    return work.session.scalars(given.order_by(Card.given_at, Card.line)).all()
