"""Promises on pages: materials that come later, the choice of a commitment, and what is announced; no JavaScript."""

import re
from io import BytesIO

import pytest
from sqlalchemy import select

from approval.models.cases import Case
from tests.kit import blocks, walks
from tests.kit.roads import pdf
from tests.services.test_pledge import COMMITMENT, MATERIALS
from tests.services.test_special import BASIS, NOTICE
from tests.web.conftest import send


@pytest.fixture
def event(office):
    blocks.deploy(office, "deferral_procedure", materials=MATERIALS, more=COMMITMENT, after=("commitment_check",))


@pytest.fixture
def chen(event, signed_in):
    return signed_in("chen")


def begin(client, size="small"):
    draft = send(client, f"/items/{blocks.ITEM}/begin", form="/my/cases").location
    (section,) = set(re.findall(rf"{draft}/answers/(\w+)", client.get(draft).text))
    page = f"{draft}/answers/{section}"
    assert send(client, page, form=page, shown=["size"], **{"answers.size": size}).status_code == 303
    return draft


def put(client, draft, code):
    file = (BytesIO(pdf()), f"{code}.pdf")
    assert send(client, f"{draft}/materials/{code}", form=f"{draft}/materials", file=file).status_code == 303


def defer(client, draft, code, later="1"):
    return send(client, f"{draft}/materials/{code}/defer", form=f"{draft}/materials", later=later)


def choose(client, draft, way):
    return send(client, f"{draft}/commitment", form=f"{draft}/commitment", way=way)


def newest(office):
    with office.work(read_only=True) as work:
        return work.session.scalars(select(Case.number).order_by(Case.filed_at.desc(), Case.number.desc())).first()


def file(client, draft):
    return send(client, f"{draft}/file", form=f"{draft}/check")


def test_a_material_is_promised_on_its_page_handed_in_later_and_the_case_goes_on(chen, office, clock):
    draft = begin(chen, "large")
    put(chen, draft, "plan")
    assert "容缺受理" in chen.get(f"{draft}/materials").text
    assert defer(chen, draft, "insurance").location.endswith("#materials.insurance")
    assert "改为现在上传" in chen.get(f"{draft}/materials").text
    assert "以后补交（容缺受理）" in chen.get(f"{draft}/check").text
    assert file(chen, draft).status_code == 303
    number = newest(office)
    walks.complete(office, number, blocks.ACCEPT)
    page = chen.get(f"/my/cases/{number}").text
    assert "保险凭证" in page
    assert "补齐容缺材料" in page
    supply = send(chen, f"/my/cases/{number}/supply", form=f"/my/cases/{number}").location
    assert supply.endswith("/materials")
    at = supply.removesuffix("/materials")
    assert "安全方案" not in chen.get(supply).text
    refused = file(chen, at)
    assert refused.status_code == 422
    assert "请上传这份材料" in refused.text
    put(chen, at, "insurance")
    assert "提交补齐的材料" in chen.get(f"{at}/check").text
    assert file(chen, at).location == f"/my/cases/{number}/receipt"
    assert walks.open_elements(office, number) == {"decision"}
    assert chen.get(at).location == f"/my/cases/{number}", "the draft is gone and leads to its case"


def test_a_promise_is_taken_back_and_nothing_but_what_the_item_allows_is_promised(chen):
    draft = begin(chen, "large")
    assert defer(chen, draft, "plan").status_code == 422
    defer(chen, draft, "insurance")
    assert defer(chen, draft, "insurance", later="0").status_code == 303
    assert "需要上传" in chen.get(f"{draft}/materials").text
    refused = file(chen, draft)
    assert refused.status_code == 422
    assert refused.text.count("请上传这份材料") == 2


def test_a_commitment_is_chosen_after_its_consequences_were_read_and_stands_for_its_material(chen, office):
    draft = begin(chen)
    page = chen.get(f"{draft}/commitment").text
    for said in ("有安全工作方案。", "活动按安全方案举办。", "承诺不实的，依法撤销许可。", "国办发〔2020〕42号"):
        assert said in page
    assert "checked" not in page
    wrong = choose(chen, draft, "")
    assert wrong.status_code == 422
    assert "请选择办理方式" in wrong.text
    undecided = file(chen, draft)
    assert undecided.status_code == 422
    assert f"{draft}/commitment" in undecided.text
    assert choose(chen, draft, "committed").status_code == 303
    materials = chen.get(f"{draft}/materials").text
    assert "安全方案</h2>" not in materials
    put(chen, draft, "insurance")
    assert "承诺不实的，依法撤销许可。" in chen.get(f"{draft}/check").text
    assert file(chen, draft).status_code == 303
    (told,) = walks.told(office, "commitment")
    assert told["obligations"] == "活动按安全方案举办。"


def test_whoever_chooses_the_usual_way_proves_everything(chen):
    draft = begin(chen)
    assert choose(chen, draft, "usual").status_code == 303
    refused = file(chen, draft)
    assert refused.status_code == 422
    assert refused.text.count("请上传这份材料") == 2


def test_a_commitment_that_is_not_open_has_no_page(chen):
    draft = begin(chen, "large")
    assert chen.get(f"{draft}/commitment").status_code == 404
    assert "选择办理方式" not in chen.get(draft).text


def test_the_guide_says_what_kind_of_case_it_is_and_what_may_be_promised(chen):
    page = chen.get(f"/items/{blocks.ITEM}").text
    for said in ("承诺件", "可以容缺受理：承诺受理以后 10 个工作日内补齐。", "承诺不实的后果"):
        assert said in page


def test_what_is_announced_is_there_for_everybody_and_names_nobody(office, client):
    number = blocks.accepted(office, "public_notice_procedure", more=BASIS)
    assert "现在没有公示的事项" in client.get("/announcements").text
    walks.complete(office, number, NOTICE)
    page = client.get("/announcements").text
    assert NOTICE[2]["matter"] in page
    assert number not in page
    assert "陈示例" not in page


def test_only_materials_of_the_item_are_put_off(chen):
    draft = begin(chen, "large")
    for code in ("nonsense", "a%0ab"):
        assert defer(chen, draft, code, later="0").status_code == 404
