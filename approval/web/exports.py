"""Exports (证照导出): the holder takes a licence along, into a wallet or as a file."""

from urllib.parse import urlencode

import segno
from flask import Response, render_template, url_for

from approval.domain.errors import NotFound
from approval.office import Work
from approval.services import exports, licences, wallets
from approval.services.exports import Form
from approval.web.door import Door

door = Door("exports", __name__, for_people=True)

_SCHEME = "openid-credential-offer://"
# What a file is called and what it is (draft-ietf-oauth-sd-jwt-vc, VC-JOSE-COSE).
_FILES = {Form.SD_JWT: ("sd-jwt", "application/dc+sd-jwt"), Form.VC: ("vc.jwt", "application/vc+jwt")}


@door.get("/my/licences/<number>/export")
def choose(work: Work, number: str) -> str:
    """Ask in which form a licence is wanted (选择导出方式)."""
    licence = licences.own(work, number)
    offered = exports.in_force(work, licence)
    known = licence.type_code in wallets.kinds(work)
    return render_template("portal/export.html", licence=licence, in_force=offered, for_wallets=offered and known)


@door.post("/my/licences/<number>/offer")
def offer(work: Work, number: str) -> str:
    """Offer a licence to the holder's wallet and show code and PIN, once (存入钱包)."""
    made = wallets.offer(work, number)
    address = exports.address(work) + url_for("wallets.offer", code=made.code)
    link = f"{_SCHEME}?{urlencode({'credential_offer_uri': address})}"
    return render_template(
        "portal/offered.html",
        licence=made.licence,
        link=link,
        picture=segno.make(link, error="m", micro=False).svg_data_uri(scale=4, border=2),
        pin=made.pin,
        minutes=work.office.settings.wallet_minutes,
    )


@door.post("/my/licences/<number>/export/<form>")
def export(work: Work, number: str, form: str) -> Response:
    """Hand out a licence as a file that verifiers elsewhere read (导出凭证)."""
    wanted = next((one for one in _FILES if one.value == form), None)
    if wanted is None:
        raise NotFound(form=form)
    ending, kind = _FILES[wanted]
    return _file(exports.export(work, number, wanted).encode(), f"{number}.{ending}", kind)


@door.get("/my/licences/<number>/licence.json")
def data(work: Work, number: str) -> Response:
    """Hand out the sealed data of a licence (下载证照数据)."""
    return _file(exports.data(work, number), f"{number}.json", "application/json")


def _file(content: bytes, name: str, kind: str) -> Response:
    reply = Response(content, content_type=kind)
    reply.headers.set("Content-Disposition", "attachment", filename=name)
    return reply
