"""Two departments, one holder, one type of licence: all invented, with valid check digits."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

import certificates

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)
URI = "https://approval.example/verify/statuses/market"
LIMIT = 4 * 2**20
MARKET = certificates.Issuer("market", "113505000038000042", "示例市市场监督管理局（示例数据）")
FIRE = certificates.Issuer("fire", "113505000038000143", "示例市消防救援支队（示例数据）")
HOLDER = certificates.Holder("示例小馆（示例数据）", "91350500MA0000001C", "uscc")
FOOD = certificates.LicenceType(
    code="11100000000013338W011",
    name="食品经营许可证",
    number_pattern="JY{business_form}{region}{serial:06d}{check}",
    validity_years=5,
    public_fields=("business_form",),
)
FIELDS = {"business_form": "2", "region": "350502", "premises": "示例路 1 号", "phone": "0595-00000000"}


DRAFT = certificates.Draft(
    type=FOOD,
    holder=HOLDER,
    fields=FIELDS,
    issuer=MARKET,
    source="case-1",
    issued_on=TODAY,
    valid_from=TODAY,
    valid_until=FOOD.last_day(TODAY),
)


def issue_in(
    session: Session, authority: certificates.Authority, sealer: certificates.Sealer | None = None, **changes: Any
) -> certificates.Licence:
    draft = replace(DRAFT, **changes)
    return certificates.issue(session, draft, sealer or authority.sealer("market"), now=NOW, actor="officer-1")
