"""Strangers' PDFs are taken apart in a child: a file made to exhaust its reader exhausts nobody else."""

import time
import zlib
from datetime import UTC, datetime

import pytest

import certificates
from approval.documents import examiners
from approval.services.rehearsals import SAMPLE_PDF
from certificates import Question

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MARKET = certificates.Issuer("market", "113505000038000042", "示例市市场监督管理局（示例数据）")


@pytest.fixture(scope="module")
def authority():
    return certificates.Authority.ephemeral([MARKET], NOW)


@pytest.fixture(scope="module")
def sealed(authority):
    return certificates.seal_document(SAMPLE_PDF, authority.sealer("market"), reason="颁发证照", now=NOW)


def bomb():
    """A PDF whose table of contents is a stream that unpacks to a gigabyte."""
    packed = zlib.compress(bytes(2**30), 1)
    told = b"<</Type/XRef/Size 1/W[1 2 1]/Root 2 0 R/Filter/FlateDecode/Length %d>>" % len(packed)
    return b"%PDF-1.7\n1 0 obj\n" + told + b"stream\n" + packed + b"\nendstream\nendobj\nstartxref\n9\n%%EOF\n"


def test_a_child_finds_what_would_be_found_at_once(authority, sealed):
    for file in (sealed, sealed + b"\n", sealed.replace(b"SAMPLE", b"FORGED"), SAMPLE_PDF, b"%PDF-"):
        found = examiners.examine(file, authority.trust, NOW)
        assert found == certificates.examine_document(file, authority.trust, NOW)
    assert all(check.holds for check in examiners.examine(sealed, authority.trust, NOW))


def test_a_file_that_unpacks_without_end_is_told_unreadable_in_time(authority, sealed):
    began = time.monotonic()
    found = examiners.examine(bomb(), authority.trust, NOW, seconds=5, megabytes=400)
    assert time.monotonic() - began < 60
    assert not all(check.holds for check in found)
    assert {check.question for check in found if check.holds is False} & {Question.READABLE, Question.SEAL_INTACT}
    assert all(check.holds for check in examiners.examine(sealed, authority.trust, NOW)), "the next one is read again"


def test_a_file_that_takes_too_long_is_told_unreadable(authority, sealed):
    (check,) = examiners.examine(sealed, authority.trust, NOW, seconds=0.001)
    assert (check.question, check.holds) == (Question.READABLE, False)
    assert "0.001 s" in check.detail
