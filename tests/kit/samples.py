"""What a default case is made of: 示例数据, people and places that exist nowhere."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from stdnum.cn import ric

from approval.domain.materials import Upload
from approval.services.rehearsals import SAMPLE_PDF

ITEM = "food-business-licence"
ZONE = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    """Read `2026-09-21 09:00` as the clocks of the city show it."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


OPENING = at("2026-09-21 09:00")

RETAIL: dict[str, Any] = {
    "representative": "陈示例",
    "residence": "泉州市鲤城区示例街18号",
    "contact_name": "陈示例",
    "contact_phone": "0595-00000018",
    "business_form": "1",
    "activities": ["prepackaged", "bulk"],
    "premises": "泉州市鲤城区示例街18号一层",
    "staff": 2,
    "safety_officer": "陈示例",
    "delivery": "electronic",
}
# Two departments and a visit: an open flame with many seats, and cold food.
RESTAURANT = RETAIL | {
    "business_form": "2",
    "activities": ["hot_food", "cold_food"],
    "dining_area": 180,
    "seats": 60,
    "open_flame": True,
}
MATERIALS = ("business_licence", "layout_plan", "safety_rules", "health_certificates")

ACCEPT = ("formal_check", "wang", {"result": "complete"})
REVIEW = ("document_review", "huang", {"result": "pass", "opinion": "材料与许可条件相符。"})
FIRE = ("fire_opinion", "su", {"result": "agree"})
VISIT = ("site_visit", "wu", {"result": "pass", "findings": "与申报一致。"})
COUNTERSIGN = ("site_visit_countersign", "zheng", {"result": "agree"})
ADVISE = ("decision_review", "xu", {"result": "grant", "opinion": "同意审查意见。"})
SIGN = ("sign_off", "cai", {"result": "grant"})
ASK = (
    "formal_check",
    "wang",
    {
        "result": "incomplete",
        "missing": [{"what": "materials.layout_plan", "problem": "没有标明贮存区。", "how": "补画后重新上传。"}],
    },
)


def uploads(*codes: str, content: bytes = SAMPLE_PDF) -> list[Upload]:
    return [Upload(code, f"{code}.pdf", content) for code in codes or MATERIALS]


def id_number(serial: int) -> str:
    """Make an identity number that belongs to nobody, with a valid check digit."""
    stem = f"35050219900101{serial:03d}"
    return stem + ric.calc_check_digit(stem + "0")
