"""Signing in with a .p12 in a real browser: the key signs there and stays there."""

import base64
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from approval.domain.actors import SYSTEM
from approval.services import identities, people
from tests.kit.browsers import NARROW, PASSWORD, WIDE, require_fair, sign_in_by_certificate
from tests.kit.identities import opened

pytestmark = pytest.mark.long

PAGE = "/sign-in/certificate"


@pytest.fixture
def file(live):
    return live.settings.instance / "people" / "chen.p12"


def _posts(page):
    sent = []
    page.on("request", lambda request: sent.append((request.url, request.post_data or "")))
    return sent


def test_a_certificate_signs_in_and_neither_file_nor_key_nor_password_leaves_the_page(visit, file):
    page = visit()
    sent = _posts(page)
    sign_in_by_certificate(page, file)
    assert page.url.endswith("/my/cases")
    assert "陈示例" in page.text_content("header")
    holder = opened(file.read_bytes(), PASSWORD)
    key = holder.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    number = holder.key.private_numbers().private_value.to_bytes(32, "big")
    said = "\n".join(url + unquote(body) for url, body in sent)
    assert _core(holder.certificate.public_bytes(Encoding.DER)) in said
    for secret in (file.read_bytes(), key, number):
        assert secret.hex() not in said
        assert _core(secret) not in said
    assert PASSWORD not in said


def _core(content):
    return base64.b64encode(content[:24]).decode()


def test_the_key_cannot_be_taken_out_of_the_browsers_hands(visit, file):
    page = visit()
    page.add_init_script("""
      const importKey = SubtleCrypto.prototype.importKey;
      SubtleCrypto.prototype.importKey = function (format, data, algorithm, extractable, uses) {
        (window.imported ??= []).push([format, extractable, uses.join()]);
        sessionStorage.imported = JSON.stringify(window.imported);
        return importKey.apply(this, arguments);
      };""")
    sign_in_by_certificate(page, file)
    imported = page.evaluate("JSON.parse(sessionStorage.imported)")
    assert ["pkcs8", False, "sign"] in imported
    assert not [each for each in imported if each[0] == "pkcs8" and each[1]]


def test_what_was_signed_once_signs_nobody_in_again(visit, file):
    page = visit()
    sent = _posts(page)
    sign_in_by_certificate(page, file)
    _, body = next(post for post in sent if post[1])
    page.context.clear_cookies(name="session")
    again = page.request.post(PAGE, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert again.status in {400, 401}
    page.goto("/my/cases")
    assert "请先登录" in page.text_content("h1")


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("chen.p12", "wrong", "密码不正确"),
        ("chen.p12", "", "密码不正确"),
        ("processes.log", PASSWORD, "不是 .p12 / .pfx 证书文件"),
        ("", PASSWORD, "请选择证书文件"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_on_the_page_and_put_right(visit, file, name, password, said):
    page = visit()
    sent = _posts(page)
    page.goto(PAGE)
    if name:
        page.set_input_files("#certificate-file", next(file.parents[1].rglob(name)))
    page.fill("#certificate-password", password)
    page.click("#certificate button")
    page.get_by_role("alert").get_by_text(said).wait_for()
    assert page.title().startswith("有错误：")
    assert not [body for _, body in sent if body]
    require_fair(page)
    page.set_input_files("#certificate-file", file)
    page.fill("#certificate-password", PASSWORD)
    page.click("#certificate button")
    page.wait_for_url("**/my/cases")


def test_a_certificate_revoked_while_the_office_is_open_is_refused_with_the_reason(visit, live):
    def revoke(office):
        with office.work(by=SYSTEM) as work:
            identities.revoke(work, "zheng")

    file = live.settings.instance / "people" / "zheng.p12"
    page = visit()
    sign_in_by_certificate(page, file)
    live.do(revoke)
    page.goto("/my/cases")
    assert "请先登录" in page.text_content("h1")
    page.goto(PAGE)
    page.set_input_files("#certificate-file", file)
    page.fill("#certificate-password", PASSWORD)
    page.click("#certificate button")
    page.get_by_text("证书已经被吊销").wait_for()
    require_fair(page)


def test_without_scripts_the_page_offers_the_password(visit):
    page = visit(scripts=False)
    page.goto(PAGE)
    assert page.get_by_text("用数字证书登录需要浏览器运行 JavaScript").is_visible()
    assert page.locator("#certificate").is_hidden()
    page.get_by_role("link", name="用密码登录").click()
    assert page.url.endswith("/sign-in")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", [PAGE, "/switch"])
def test_the_sign_in_pages_are_fair_to_everyone(visit, path, language, size):
    page = visit(language=language, size=size)
    page.goto(path)
    require_fair(page)


def test_a_form_sent_after_the_session_ended_loses_nothing(visit, live, file):
    page = visit("chen")
    page.goto("/items/food-business-licence")
    page.evaluate(_FORM, page.locator("input[name=csrf_token]").first.input_value())
    live.do(_end_sessions)
    page.click("#send")
    assert page.get_by_text("登录已经失效，刚才填写的内容还在。").is_visible()
    require_fair(page)
    page.get_by_role("button", name="用数字证书登录").click()
    page.set_input_files("#certificate-file", file)
    page.fill("#certificate-password", PASSWORD)
    page.click("#certificate button")
    page.get_by_role("heading", name="您已重新登录，刚才填写的内容还在").wait_for()
    require_fair(page)
    assert page.locator("input[name=reason]").input_value() == "改主意了"
    page.click("text=继续提交")
    assert page.url.endswith("/my/cases/none/withdraw")
    assert "没有找到" in page.text_content("h1")


_FORM = """token => {
  const form = document.createElement("form");
  form.method = "post";
  form.action = "/my/cases/none/withdraw";
  for (const [name, value] of [["csrf_token", token], ["reason", "改主意了"]]) {
    const input = document.createElement("input");
    [input.name, input.value] = [name, value];
    form.append(input);
  }
  const button = document.createElement("button");
  button.id = "send";
  form.append(button);
  document.querySelector("main").append(form);
}"""


def _end_sessions(office):
    with office.work(by=SYSTEM) as work:
        people.end_sessions(work, people.actor_by_code(work, "chen").person)


def test_one_click_makes_one_somebody_else_and_their_certificate_is_there(visit):
    page = visit(scripts=False)
    page.goto("/switch")
    page.click("button[value=lin]")
    assert page.url.endswith("/my/cases?for=restaurant")
    page.click("text=换人")
    with page.expect_download() as handed:
        page.click("a[href='/switch/wu.p12']")
    assert opened(handed.value.path().read_bytes(), PASSWORD).certificate
    page.click("button[value=wang]")
    assert page.url.endswith("/window/tasks")
