import pytest
from asn1crypto import tsp
from pyhanko.sign.timestamps import TimeStamper

from approval.adapters.timestamps import HttpTimestamper
from approval.settings import Settings, SettingsRefused
from certificates import TimestampUnavailable
from tests.certificates.samples import NOW
from tests.kit.live import free_port
from tests.kit.timestamps import TimestampAuthority


def test_an_authority_is_asked_by_rfc_3161_and_its_reply_handed_on():
    tsa = TimestampAuthority(NOW)
    query = asking()
    with tsa.served() as url:
        reply = HttpTimestamper(url)(query)
    assert tsa.asked == [query]
    assert tsp.TimeStampResp.load(reply, strict=True)["status"]["status"].native == "granted"


def test_one_that_is_away_or_refuses_is_unavailable():
    with pytest.raises(TimestampUnavailable):
        HttpTimestamper(f"http://127.0.0.1:{free_port()}/")(b"query")
    tsa = TimestampAuthority(NOW, status=503)
    with tsa.served() as url, pytest.raises(TimestampUnavailable) as away:
        HttpTimestamper(url)(asking())
    assert away.value.facts == {"url": url, "status": 503, "size": 6}


def test_an_address_of_another_kind_is_refused_at_the_start():
    with pytest.raises(SettingsRefused, match="APPROVAL_TIMESTAMPS"):
        Settings.from_env({"APPROVAL_TIMESTAMPS": "file:///etc/passwd"})


def asking():
    _nonce, query = TimeStamper().request_cms(bytes(32), "sha256")
    return query.dump()
