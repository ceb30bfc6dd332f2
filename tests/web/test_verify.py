from dataclasses import replace
from io import BytesIO

import pytest

import certificates
from approval.domain.licence_types import TypeDefinition
from approval.domain.texts import Words
from approval.services import types, workers
from tests.web.conftest import send

ENGLISH = {"Accept-Language": "en"}


def _upload(client, content):
    return send(client, "/verify", form="/verify", file=(BytesIO(content), "licence.pdf"))


def test_the_number_and_its_check_code_prove_a_licence(client, city):
    page = client.get("/verify", query_string={"number": city.number, "code": city.check_code.lower()})
    assert page.status_code == 200
    for told in ("证照真实、有效", city.number, "陈**", "泉州市市场监督管理局", "电子印章完好", "预包装食品销售"):
        assert told in page.text
    assert "350502198701110015" not in page.text


def test_fields_are_called_as_their_own_type_calls_them(client, city, office):
    with office.work() as work:
        (known,) = types.catalogue(work)
        other = replace(TypeDefinition.read(known.definition), code="11100000000013338W099")
        renamed = tuple(field._replace(label=Words("别的名称", "Another")) for field in other.fields)
        types.keep(work, replace(other, fields=renamed), known.template, "")
    page = client.get(f"/verify/{city.token}")
    assert "预包装食品销售" in page.text
    assert "别的名称" not in page.text


def test_the_token_of_the_qr_code_proves_a_licence(client, city):
    assert "Genuine and in force" in client.get(f"/verify/{city.token}", headers=ENGLISH).text


def test_a_wrong_check_code_and_an_unknown_number_answer_alike(client, city):
    wrong = client.get("/verify", query_string={"number": city.number, "code": "000000"})
    unknown = client.get("/verify", query_string={"number": "JY00000000000000", "code": "000000"})
    assert "没有查到这张证照" in wrong.text
    said = [page.text[page.text.index("<main") : page.text.index("</main>")] for page in (wrong, unknown)]
    assert said[0] == said[1]


def test_whoever_tries_out_numbers_is_slowed_down_and_an_honest_visitor_is_not(open_app, city):
    client = open_app(address_failures=3).test_client()
    for _ in range(5):
        assert client.get(f"/verify/{city.token}").status_code == 200
    for _ in range(3):
        assert client.get("/verify/AAAAAAAAAAAAAAAAAAAA").status_code == 200
    refused = client.get("/verify/AAAAAAAAAAAAAAAAAAAA")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "600"


def test_whoever_tries_out_files_is_slowed_down_whatever_is_wrong_with_them(open_app, city):
    client = open_app(address_failures=2).test_client()
    for _ in range(3):
        assert _upload(client, city.pdf).status_code == 200
    altered = city.pdf + b"\n"
    assert [_upload(client, altered).status_code for _ in range(3)] == [200, 200, 429]


def test_the_very_file_that_was_issued_holds(client, city):
    page = _upload(client, city.pdf)
    assert "证照真实、有效" in page.text
    assert "与签发时的文件完全一致" in page.text


def test_a_file_altered_after_sealing_does_not_hold(client, city):
    altered = bytearray(city.pdf)
    altered[300] ^= 1
    page = _upload(client, bytes(altered))
    assert "内容被改动过" in page.text
    assert city.number not in page.text


@pytest.mark.parametrize("garbage", [b"\x00\xff" * 40, b"%PDF-1.7 and nothing else", b"{}", b"[1", b"\xef\xbb\xbf{"])
def test_garbage_gets_an_answer_and_no_fault(client, garbage):
    page = _upload(client, garbage)
    assert page.status_code == 200
    assert 'class="verdict fails"' in page.text


def test_an_empty_file_or_none_is_told_so(client):
    for page in (_upload(client, b""), send(client, "/verify", form="/verify")):
        assert page.status_code == 422
        assert '<a href="#file">请选择一个不是空的文件</a>' in page.text


def test_a_number_without_its_check_code_is_asked_for_again(client):
    page = client.get("/verify?number=%3Cb%3EJY1&code=")
    assert page.status_code == 422
    assert "<title>有错误：证照查验" in page.text
    assert 'value="&lt;b&gt;JY1"' in page.text


def test_a_character_no_text_holds_is_a_bad_request(client):
    assert client.get("/verify?number=%00&code=1").status_code == 400
    assert client.get("/verify/%00").status_code == 400


def test_the_public_log_is_there_for_anybody(app, office, client, city):
    assert client.get("/log/checkpoint").status_code == 404
    workers.sequence(office)
    checkpoint = client.get("/log/checkpoint")
    assert checkpoint.mimetype == "text/plain"
    key = certificates.LogKey.parse(client.get("/log/key").text)
    head, found = certificates.audit_public(lambda path: client.get(f"/log/{path}").data, key)
    assert head.size > 5
    assert found == []
    proof = client.get("/log/proof/inclusion", query_string={"index": 0, "size": head.size}).json
    path = [bytes.fromhex(each) for each in proof["path"]]
    entry = client.get(f"/log/{certificates.log_tile_path('entries', 0, head.size)}").data[2:34]
    leaf = certificates.log.trees.leaf(entry)
    assert certificates.log_includes(leaf, 0, head.size, path, head.root)
    grown = client.get("/log/proof/consistency", query_string={"old": 3, "new": head.size}).json
    assert len(grown["path"]) > 1


@pytest.mark.parametrize(
    "path",
    [
        "/log/",
        "/log/tile/0/000",
        "/log/tile/0/999",
        "/log/../wsgi.py",
        "/log/log.key",
        "/log/proof/inclusion",
        "/log/proof/inclusion?index=0&size=9999",
        "/log/proof/inclusion?index=-1&size=1",
        "/log/proof/consistency?old=1&new=99999999999999999999",
        "/log/proof/consistency?old=%E0%A5%A7&new=2",
    ],
)
def test_what_the_log_does_not_have_is_not_found(client, path):
    assert client.get(path).status_code == 404
