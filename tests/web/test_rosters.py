"""People and posts: enrolled, given, taken and disabled by administrators, their numbers masked."""

from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from approval.models.people import Person
from approval.models.people import Post as Held
from tests.kit.samples import id_number
from tests.web.conftest import send


@pytest.fixture
def admin(signed_in):
    return signed_in("admin")


def person(office, code):
    with office.work(read_only=True) as work:
        found = work.session.scalars(select(Person).where(Person.code == code)).one()
        return f"/admin/people/{found.id}", found.id_number


def test_people_are_found_and_their_numbers_are_masked(admin, office):
    path, number = person(office, "wang")
    page = admin.get("/admin/people?q=wang").text
    assert path in page
    assert "/people/new" in page
    for shown in (page, admin.get(path).text, admin.get("/admin/people").text):
        assert number not in shown
    assert "没有找到" in admin.get("/admin/people?q=<script>").text


def test_an_enrolment_tells_all_that_is_wrong_and_keeps_what_was_typed(admin):
    fields = {"name": "", "code": "a b", "id_number": "1", "password": "secret"}
    reply = send(admin, "/admin/people", form="/admin/people/new", **fields)
    assert reply.status_code == 422
    assert "<title>有错误：" in reply.text
    for field in ("name", "code", "id_number", "password"):
        assert f'href="#{field}"' in reply.text
    assert 'value="a b"' in reply.text
    assert "secret" not in reply.text


def test_somebody_is_enrolled_given_a_post_and_works(admin, app, office):
    fields = {"name": "新窗口", "code": "xin", "id_number": id_number(7), "password": "long enough 12"}
    reply = send(admin, "/admin/people", form="/admin/people/new", **fields)
    path = urlsplit(reply.location).path
    assert fields["id_number"] not in path
    assert send(admin, f"{path}/posts", form=path, department="", role="emperor").status_code == 422
    assert send(admin, f"{path}/posts", form=path, department="SPJ", role="window").status_code == 303
    theirs = app.test_client()
    assert send(theirs, "/sign-in", name="xin", password="long enough 12").status_code == 303
    assert theirs.get("/window/tasks").status_code == 200
    asked = f"{path}/take?department=SPJ&role=window"
    assert "撤销岗位" in admin.get(asked).text
    assert send(admin, asked, form=asked).status_code == 303
    assert theirs.get("/window/tasks").status_code == 403


def test_somebody_disabled_is_out_at_once(admin, signed_in, office):
    path, _ = person(office, "wang")
    clerk = signed_in("wang")
    assert "停用" in admin.get(f"{path}/disable").text
    send(admin, f"{path}/disable", form=f"{path}/disable")
    assert clerk.get("/window/tasks").status_code == 401
    send(admin, f"{path}/enable", form=path)
    assert signed_in("wang").get("/window/tasks").status_code == 200


def test_a_new_password_is_set_and_a_short_one_is_not(admin, app, office):
    path, _ = person(office, "wang")
    assert send(admin, f"{path}/password", form=path, password="short").status_code == 422
    done = send(admin, f"{path}/password", form=path, password="long enough 12")
    assert "密码已经重设" in admin.get(done.location).text
    assert send(app.test_client(), "/sign-in", name="wang", password="long enough 12").status_code == 303


def test_the_last_administrator_can_neither_leave_nor_be_disabled(admin, office):
    path, _ = person(office, "admin")
    assert send(admin, f"{path}/disable", form=path).status_code == 409
    assert send(admin, f"{path}/take?department=SPJ&role=administrator", form=path).status_code == 409
    with office.work(read_only=True) as work:
        assert work.session.scalars(select(Held).where(Held.role == "administrator")).all()
