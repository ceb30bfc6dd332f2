"""The statement that is sealed (证照数据): what a licence says, as canonical JSON, GB/T 36903-2018."""

from typing import Any

from certificates import canonical
from certificates.tables import Licence

SCHEMA = "electronic-licence/1"
"""Stands in every statement, so that no other signed JSON can be taken for a licence."""

METADATA_NAMES = {
    "type_name": "ZZMC",
    "type_code": "ZZLXDM",
    "number": "ZZBH",
    "identifier": "ZZBS",
    "issuer_name": "ZZBFJG",
    "issuer_code": "ZZBFJGDM",
    "issued_on": "ZZBFRQ",
    "holder_name": "CZZT",
    "holder_code": "CZZTDM",
    "holder_code_type": "CZZTDMLX",
    "valid_from": "ZZYXQQSRQ",
    "valid_until": "ZZYXQJZRQ",
    "created_at": "CJSJ",
    "fields": "KZ_",
}
"""Each name in a statement and the abbreviation that GB/T 36903 systems exchange; `fields` are extensions.

Who sealed and when (ZZQZR, ZZQZSJ) stand in the seal's own header, the statement being written before it.
"""


def compose(licence: Licence) -> bytes:
    """Write down what a licence says (证照数据), canonical JSON, from the store's columns.

    Days are legal days in ISO 8601; `valid_until` is null for a long-term licence. Raises NotCanonical for
    text that is not NFC.
    """
    return canonical.dump(
        {
            "schema": SCHEMA,
            "type_name": licence.type_name,
            "type_code": licence.type_code,
            "number": licence.number,
            "identifier": licence.identifier,
            "issuer_name": licence.issuer_name,
            "issuer_code": licence.issuer_uscc,
            "issued_on": licence.issued_on.isoformat(),
            "holder_name": licence.holder_name,
            "holder_code": licence.holder_code,
            "holder_code_type": licence.holder_code_type,
            "valid_from": licence.valid_from.isoformat(),
            "valid_until": licence.valid_until and licence.valid_until.isoformat(),
            "created_at": licence.intended_at.isoformat(),
            "fields": licence.fields,
        }
    )


def sealed_json(licence: Licence) -> bytes:
    """Hand out a licence as data (证照数据文件): canonical `{"licence": statement, "seal": JWS}`."""
    return canonical.dump({"licence": canonical.load(licence.statement.encode()), "seal": licence.seal})


def open_sealed_json(data: bytes) -> tuple[dict[str, Any], str]:
    """Take a licence's data file apart (读取证照数据文件) into statement and seal.

    Raises NotCanonical for broken or ambiguous JSON, ValueError when it is no sealed licence.
    """
    match canonical.load(data):
        case {"licence": dict(said), "seal": str(seal), **more} if said.get("schema") == SCHEMA and not more:
            return said, seal
    raise ValueError("no sealed licence")
