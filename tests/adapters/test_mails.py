"""Mail: over TLS, once, and told apart what was refused from what nobody can know."""

import hashlib
import json
from dataclasses import replace

import pytest

from approval.adapters.mails import Mail
from approval.adapters.spools import Spool
from approval.domain.errors import Unavailable, Unconfirmed
from approval.domain.ports import Letter
from approval.settings import Settings, SettingsRefused
from tests.kit.mailboxes import Mailbox, certificate
from tests.kit.samples import OPENING

FROM = "office@city.example"
LETTER = Letter("0001", "email", "chen@mail.example", "新的文书", "请登录查看。\n.\n..后面还有\n", OPENING)


def plain(port):
    return Mail(f"smtp+plain://127.0.0.1:{port}", FROM)


def test_a_letter_arrives_as_it_was_written():
    box = Mailbox()
    with box.served() as port:
        evidence = plain(port).send(LETTER)
    (message,) = box.messages
    assert (message["From"], message["To"], message["Subject"]) == (FROM, LETTER.to, LETTER.subject)
    assert message["Message-ID"] == evidence["message_id"] == "<0001@city.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().replace("\r\n", "\n") == LETTER.text
    assert evidence["answer"].startswith("250")
    assert box.taken[0][:2] == (f"FROM:<{FROM}>", [f"TO:<{LETTER.to}>"])


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "tls"])
def test_mail_goes_over_tls_to_a_server_that_proves_who_it_is(tmp_path, monkeypatch, implicit):
    context, cert = certificate(tmp_path)
    box = Mailbox()
    with box.served(context, implicit=implicit) as port:
        mail = Mail(f"{'smtps' if implicit else 'smtp'}://127.0.0.1:{port}", FROM)
        with pytest.raises(Unavailable):
            mail.send(LETTER)
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        mail.send(LETTER)
    assert box.encrypted == [True]


def test_nothing_is_said_to_a_server_that_offers_no_tls():
    box = Mailbox()
    with box.served() as port, pytest.raises(Unavailable):
        Mail(f"smtp://user:secret@127.0.0.1:{port}", FROM).send(LETTER)
    assert not {"AUTH", "MAIL", "RCPT", "DATA"} & set(box.said)


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("EHLO", None),
        ("MAIL", "451 later"),
        ("RCPT", "550 nobody"),
        ("DATA", "452 full"),
        ("END", "554 no"),
        ("RCPT", None),
    ],
)
def test_what_the_server_does_not_take_may_be_sent_again(word, answer):
    box = Mailbox(answers={word: answer, "HELO": None})
    with box.served() as port, pytest.raises(Unavailable) as refused:
        plain(port).send(LETTER)
    assert not isinstance(refused.value, Unconfirmed)


def test_when_the_line_breaks_after_the_text_nobody_knows():
    box = Mailbox(answers={"END": None})
    with box.served() as port, pytest.raises(Unconfirmed):
        plain(port).send(LETTER)
    assert len(box.taken) == 1


def test_a_server_that_breaks_off_after_taking_has_taken():
    box = Mailbox(answers={"QUIT": None})
    with box.served() as port:
        assert plain(port).send(LETTER)["answer"].startswith("250")


def test_a_server_that_is_away_is_unavailable():
    with Mailbox().served() as port:
        pass
    with pytest.raises(Unavailable):
        plain(port).send(LETTER)


def test_no_name_of_an_item_writes_a_header():
    hostile = replace(LETTER, subject="许可\r\nBcc: all@evil.example\n\n第二行")
    box = Mailbox()
    with box.served() as port:
        plain(port).send(hostile)
    assert box.messages[0]["Bcc"] is None
    assert box.messages[0]["Subject"] == "许可 Bcc: all@evil.example 第二行"
    assert len(box.taken[0][1]) == 1


def test_no_address_says_a_second_word_to_the_server():
    box = Mailbox()
    with box.served() as port, pytest.raises((Unavailable, ValueError)):
        plain(port).send(replace(LETTER, to="a@b.example>\r\nRCPT TO:<c@evil.example"))
    assert box.taken == []


@pytest.mark.parametrize(
    "smtp",
    ["smtp+plain://mail.example", "http://mail.example", "mail.example", "smtps://", "smtp+plain://127.0.0.1.evil"],
)
def test_settings_that_would_send_in_the_clear_are_refused(smtp):
    with pytest.raises(SettingsRefused, match="APPROVAL_SMTP"):
        Settings(smtp=smtp, mail_from=FROM).check()


def test_mail_needs_an_address_to_come_from():
    with pytest.raises(SettingsRefused, match="APPROVAL_MAIL_FROM"):
        Settings(smtp="smtps://mail.example", mail_from="a@b\nBcc: c").check()
    Settings(smtp="smtps://user:p%40ss@mail.example:465", mail_from=FROM).check()


def test_post_is_handed_over_with_its_file_and_twice_is_the_same(tmp_path):
    post = replace(LETTER, way="post", to="泉州市\n第二行", name='陈"示例', file=b"%PDF-1.7")
    spool = Spool(tmp_path / "spool")
    assert spool.send(post) == spool.send(post)
    said = json.loads((tmp_path / "spool/post/0001.json").read_text())
    assert said == {
        "format": "approval-handover/1", "id": "0001", "way": "post", "to": post.to, "name": post.name,
        "text": post.text, "at": "2026-09-21T01:00:00Z", "file": "0001.pdf",
        "sha256": hashlib.sha256(b"%PDF-1.7").hexdigest(),
    }  # fmt: skip
    assert sorted(file.name for file in (tmp_path / "spool/post").iterdir()) == ["0001.json", "0001.pdf"]


def test_a_spool_that_cannot_be_written_is_unavailable(tmp_path):
    (tmp_path / "spool").write_text("a file")
    with pytest.raises(Unavailable):
        Spool(tmp_path / "spool").send(replace(LETTER, way="sms"))
