"""Wallets at the door (证照钱包接口): OpenID for Verifiable Credential Issuance 1.0, for programs, without cookies.

Offer, metadata, token, nonce, and the licence itself. What is refused is said as these standards say it.
"""

from typing import Any, Final

from flask import Response, jsonify, request, url_for
from werkzeug.exceptions import HTTPException

import certificates
from approval.domain.errors import NotFound, TooMany, WalletRefused
from approval.domain.licence_types import TypeDefinition
from approval.domain.texts import Words
from approval.office import Work
from approval.services import exports, wallets
from approval.web import bodies, visitors
from approval.web.door import Door

door = Door("wallets", __name__)

GRANT: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
_FORMAT = "dc+sd-jwt"
_SCHEME = "Bearer "
_INVALID_TOKEN = "invalid_token"  # noqa: S105 -- an error of RFC 6750, no secret


@door.errorhandler(WalletRefused)
def refused(refusal: WalletRefused) -> Response:
    """Refuse as RFC 6749, RFC 6750 and OpenID4VCI do (拒绝的答复)."""
    error = refusal.facts["error"]
    reply = _error(401 if error == _INVALID_TOKEN else 400, error, refusal.facts["why"])
    if error == _INVALID_TOKEN:
        reply.headers["WWW-Authenticate"] = f'{_SCHEME.strip()} error="{error}"'
    return reply


@door.errorhandler(TooMany)
def slowed_down(refusal: TooMany) -> Response:
    """Let whoever guessed too often wait (限制尝试)."""
    minutes = refusal.facts["minutes"]
    reply = _error(429, "temporarily_unavailable", f"wait {minutes} minutes")
    reply.headers["Retry-After"] = str(minutes * 60)
    return reply


@door.errorhandler(NotFound)
def not_found(_: NotFound) -> Response:
    """Say that there is no such offer (没有要约)."""
    return _error(404, "invalid_request", "no such offer, or not any more")


@door.errorhandler(HTTPException)
def turned_away(error: HTTPException) -> Response:
    """Turn away what is no request of a wallet (请求无法处理)."""
    return _error(error.code or 400, "invalid_request", error.name)


@door.get("/wallet/offers/<code>")
def offer(work: Work, code: str) -> Response:
    """Tell a wallet what it is offered (领取要约, section 4.1); to take it up it needs the PIN."""
    kind = wallets.offered(work, code)
    pin = {"input_mode": "numeric", "length": wallets.PIN_LENGTH}
    grant = {"pre-authorized_code": code, "tx_code": pin}
    return jsonify(
        {
            "credential_issuer": exports.address(work),
            "credential_configuration_ids": [kind],
            "grants": {GRANT: grant},
        }
    )


@door.get("/.well-known/openid-credential-issuer")
def issuer(work: Work) -> Response:
    """Describe what wallets can be given here, and where (签发者元数据, section 12.2)."""
    own = exports.address(work)
    return jsonify(
        {
            "credential_issuer": own,
            "credential_endpoint": own + url_for("wallets.take"),
            "nonce_endpoint": own + url_for("wallets.nonce"),
            "display": _said(Words("一站式行政审批", "One-Stop Approval")),
            "credential_configurations_supported": {
                code: _configuration(kind) for code, kind in wallets.kinds(work).items()
            },
        }
    )


@door.get("/.well-known/oauth-authorization-server")
def authorization_server(work: Work) -> Response:
    """Describe where a wallet's code is exchanged (授权服务器元数据, RFC 8414)."""
    own = exports.address(work)
    return jsonify(
        {
            "issuer": own,
            "token_endpoint": own + url_for("wallets.token"),
            "token_endpoint_auth_methods_supported": ["none"],
            "grant_types_supported": [GRANT],
            # The member must be there and must not be empty; an authorization endpoint there is none.
            "response_types_supported": ["none"],
            "pre-authorized_grant_anonymous_access_supported": True,
        }
    )


@door.post("/wallet/token")
def token(work: Work) -> Response:
    """Exchange a code and its PIN for an access token (兑换令牌, section 6)."""
    if request.form.get("grant_type") != GRANT:
        raise WalletRefused(error="unsupported_grant_type", why="only the pre-authorized code is known here")
    code = request.form.get("pre-authorized_code", "")
    if not code:
        raise WalletRefused(error="invalid_request", why="pre-authorized_code is missing")
    given = wallets.redeem(work, code, request.form.get("tx_code", ""), visitors.origin())
    lasts = work.office.settings.wallet_minutes * 60
    return jsonify({"access_token": given, "token_type": _SCHEME.strip(), "expires_in": lasts})


@door.post("/wallet/nonce", writes=False)
def nonce(work: Work) -> Response:
    """Give out a number for the proof of a key (发放随机数, section 7)."""
    return jsonify({"c_nonce": wallets.nonce(work)})


@door.post("/wallet/credential")
def take(work: Work) -> Response:
    """Hand a licence to the wallet whose key signed the proof (领取证照, section 8)."""
    brought = request.headers.get("Authorization", "")
    if not brought.startswith(_SCHEME):
        raise WalletRefused(error=_INVALID_TOKEN, why="bring the access token")
    kind, proof = _asked(bodies.sent_json())
    sealed = wallets.issue(work, brought.removeprefix(_SCHEME), kind, proof, visitors.origin())
    return jsonify({"credentials": [{"credential": sealed}]})


def _asked(sent: Any) -> tuple[str, str]:
    if not isinstance(sent, dict) or "credential_response_encryption" in sent:
        raise WalletRefused(error="invalid_credential_request", why="send a JSON object; replies are not encrypted")
    kind = sent.get("credential_configuration_id")
    if not isinstance(kind, str):
        raise WalletRefused(error="invalid_credential_request", why="credential_configuration_id is missing")
    match sent.get("proofs"):
        case {"jwt": [str(proof)], **more} if not more:
            return kind, proof
    raise WalletRefused(error="invalid_proof", why="send one proof of type jwt")


def _configuration(definition: TypeDefinition) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "vct": certificates.credential_kind(definition.code),
        "cryptographic_binding_methods_supported": ["jwk"],
        "credential_signing_alg_values_supported": ["ES256"],
        "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
        "credential_metadata": {
            "display": _said(definition.name),
            "claims": [{"path": ["fields", each.name], "display": _said(each.label)} for each in definition.fields],
        },
    }


def _said(words: Words) -> list[dict[str, str]]:
    return [{"name": words.zh, "locale": "zh-CN"}, {"name": words.en, "locale": "en"}]


def _error(status: int, error: str, why: str) -> Response:
    reply = jsonify({"error": error, "error_description": why})
    reply.status_code = status
    return reply
