"""The law on every step in a real browser: corrected, suspended, extended, opposed, refused; accepted by silence."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from approval.settings import Settings
from tests.browser.test_road import case_of
from tests.kit import roads
from tests.kit.browsers import NARROW, require_fair
from tests.kit.live import LiveOffice, free_port, wait_for
from tests.kit.samples import ACCEPT, ASK, MATERIALS, RETAIL, REVIEW

pytestmark = pytest.mark.long
REASON = "经营场所的贮存条件不符合要求（示例）。"
REFUSE = {"result": "refuse", "reason": REASON, "article": "食品安全法第三十三条"}


@pytest.fixture(scope="module")
def live(city, tmp_path_factory):
    """An office whose clock is moved, as that of a demonstration is."""
    instance = tmp_path_factory.mktemp("live") / "instance"
    shutil.copytree(city.folder / "instance", instance)
    with city.copy(instance) as url:
        origin = f"http://127.0.0.1:{free_port()}"
        live = LiveOffice(Settings(instance=instance, database_url=url, origin=origin, clock="movable"))
        try:
            live.open()
            yield live
        finally:
            live.close()
        assert not live.faults()


def move_clock(live, *how):
    told = {"APPROVAL_INSTANCE": live.settings.instance, "APPROVAL_DATABASE_URL": live.settings.database_url}
    environment = {**os.environ, **{name: str(value) for name, value in told.items()}, "APPROVAL_CLOCK": "movable"}
    command = [sys.executable, "-m", "approval", "clock", "move", *how]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def act(page, number, name, **given):
    """Act on the time limits of a case on their page."""
    page.goto(f"/window/cases/{number}/countdowns")
    form = page.locator(f"form:has(input[name=act][value={name}])")
    for field, text in given.items():
        roads._write(form.locator(f"[name={field}]"), text)
    roads.go(form.locator("button.btn-primary"))
    require_fair(page)
    return page.inner_text("main")


def countersign(page, agrees, opinion):
    page.goto("/window/desk")
    require_fair(page)
    form = page.locator("form:has(input[name=agrees])")
    form.locator(f"input[name=agrees][value={agrees}]").check()
    form.locator("textarea").fill(opinion)
    roads.go(form.locator("button"))


def test_the_law_on_every_step_from_correction_to_a_refusal_with_its_remedies(visit, live):
    look = roads.each_once(require_fair)
    chen, wang, huang = visit("chen"), visit("wang"), visit("huang")
    number = roads.file(chen, RETAIL, MATERIALS, look=look)

    # 补正一次：只能选目录中的材料，逐项答复
    roads.claim(wang, number)
    roads.answer(wang, ASK[2])
    roads.correct(chen, number, "已经补画贮存区。", ("layout_plan",), look=look)
    roads.complete(wang, number, ACCEPT[2], look=look)

    # 检验：暂停计算并书面告知；签批人延期一次并说明理由
    told = act(huang, number, "suspend", cause="inspection", days="3", reason="送检样品（示例）。")
    assert "暂停计算" in told
    chen.goto(f"/my/cases/{number}")
    require_fair(chen)
    assert "正在进行特别程序" in chen.inner_text("main")
    cai = visit("cai")
    act(cai, number, "extend", reason="需要补充检验（示例）。")
    assert cai.locator("form:has(input[name=act][value=extend])").count() == 0, "a limit is extended once"
    chen.goto("/my/notices")
    require_fair(chen)
    assert {"延长", "特别程序"} <= set(re.findall("延长|特别程序", chen.inner_text("main")))

    # 会签：一人不同意，永远看得到
    roads.claim(huang, number)
    details = huang.locator("details:has(input[name=whom][type=checkbox])")
    details.locator("summary").click()
    for name in ("吴核查", "郑核查"):
        details.get_by_label(name).check()
    details.locator("textarea").fill("贮存条件是否符合要求？")
    roads.go(details.locator("button"))
    countersign(visit("wu", size=NARROW), "yes", "符合。")
    countersign(visit("zheng"), "no", "冷藏温度没有记录。")
    huang.reload()
    require_fair(huang)
    assert "冷藏温度没有记录。" in huang.inner_text("main")
    roads.answer(huang, REVIEW[2])

    # 不予：说明理由、依据和救济途径及其期限
    roads.complete(visit("xu"), number, {"result": "refuse", "opinion": "建议不予。"}, look=look)
    roads.claim(cai, number)
    assert "冷藏温度没有记录。" in cai.inner_text("main"), "the one who decides reads the no of the countersign"
    roads.fill(cai, REFUSE)
    with cai.context.expect_page() as opened:
        cai.locator("button[formaction$='/preview']").click()
    opened.value.close()
    assert case_of(live, number) == ("accepted", None)
    roads.answer(cai, REFUSE)
    wait_for(lambda: case_of(live, number) == ("concluded", "refused"), "the refusal was not delivered")
    chen.goto(f"/my/cases/{number}")
    require_fair(chen)
    said = chen.inner_text("main")
    for fact in (REASON, "食品安全法第三十三条", "泉州市人民政府", "泉州市丰泽区人民法院"):
        assert fact in said
    roads.go(chen.locator("a:has-text('打开文书'):has-text('不许')"))  # 泉市监食不许〔…〕1号
    require_fair(chen)
    assert {"行政复议", "行政诉讼"} <= set(re.findall("行政复议|行政诉讼", chen.inner_text("main")))


def test_silence_accepts_when_the_clock_is_moved_past_the_time_limit(visit, live):
    chen = visit("chen")
    number = roads.file(chen, RETAIL, MATERIALS)
    assert case_of(live, number) == ("filed", None)
    assert move_clock(live, "--days", "12").startswith("20")
    wait_for(lambda: case_of(live, number)[0] == "accepted", "silence accepted nothing")
    page = visit("chen")  # the session from before the clock was moved has ended
    page.goto(f"/my/cases/{number}")
    require_fair(page)
    assert "逾期没有告知，视为受理" in page.inner_text("main")
