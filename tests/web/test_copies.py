"""Copies for a purpose on pages: asked for, downloaded, cancelled; told to whoever verifies them."""

import re

from tests.web.conftest import send

GIVEN = {"purpose": "办理银行开户", "recipient": "示例银行", "until": "2026-10-25"}


def test_a_holder_makes_a_copy_gives_it_away_and_ends_it(signed_in, city, client, clock):
    chen, at = signed_in("chen"), f"/my/licences/{city.number}/copies"
    assert f'href="{at}"' in chen.get("/my/licences").text
    wrong = send(chen, at, form=at, **{**GIVEN, "until": "2020-01-01"})
    assert wrong.status_code == 422
    assert 'value="办理银行开户"' in wrong.text
    done = send(chen, at, form=at, **GIVEN)
    assert (done.status_code, done.location) == (303, f"{at}?done=1")
    page = chen.get(done.location).text
    assert "加注件已经出具" in page
    token = re.search(rf"{at}/([0-9A-Z]{{20}})\.pdf", page)[1]
    file = chen.get(f"{at}/{token}.pdf")
    assert (file.status_code, file.data[:5]) == (200, b"%PDF-")
    shown = client.get(f"/verify/{token}").text
    assert "这是一份加注件" in shown
    assert "示例银行" in shown
    assert client.get(f"/api/v1/verify?token={token}").get_json()["copy"] == GIVEN
    assert send(chen, f"{at}/{token}/cancel", form=at, reason=" ").status_code == 422
    send(chen, f"{at}/{token}/cancel", form=at, reason="交易没有成立。")
    assert "加注件已经失去效力" in client.get(f"/verify/{token}").text
    assert signed_in("lin").get(at).status_code == 404
