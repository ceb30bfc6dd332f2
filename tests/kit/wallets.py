"""A wallet for tests: it has a key, and does what OpenID4VCI asks of it."""

import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from certificates import canonical, jose


@dataclass
class Wallet:
    """A key and what one signs with it, at an instant in whole seconds."""

    audience: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def jwk(self) -> dict[str, str]:
        return jose.point(self.key.public_key())

    def prove(self, nonce: str, now: Any, **changes: Any) -> str:
        said = {"aud": self.audience, "iat": int(now.timestamp()), "nonce": nonce} | changes
        header = {"typ": "openid4vci-proof+jwt", "jwk": self.jwk}
        return jose.write(header, canonical.dump(said), lambda data: jose.raw(self.key.sign(data, jose.ES256)))


def claims(sd_jwt: str) -> dict[str, Any]:
    """Read what stands in clear in a licence that a wallet was given."""
    return json.loads(jose.unb64(sd_jwt.split(".")[1]))
