"""The press's child: asked on standard input, it answers on standard output, and reads no file but our fonts."""

import json
from typing import Any

from approval.documents import codes
from approval.documents.children import serve
from approval.documents.drawing import draw
from approval.documents.filling import fault, fill, prints_only
from approval.documents.marks import marked
from approval.domain.errors import Unavailable

_LARGEST = 32 * 2**20
_LONGEST = 500


def _answer(question: dict[str, Any], _: bytes) -> bytes:
    try:
        if "values" in question:
            return _rendered(question)
        return json.dumps(fault(question["template"])).encode()
    except Unavailable as refusal:
        facts = refusal.facts
    except MemoryError:
        raise  # whatever ran out halfway is not asked again
    except Exception as reason:  # noqa: BLE001 -- whatever a stranger's page brings about is told as its fault
        facts = {"template": f"{type(reason).__name__}: {reason}"}
    return json.dumps({name: str(fact)[:_LONGEST] for name, fact in facts.items()}).encode()


def _rendered(question: dict[str, Any]) -> bytes:
    template, values, mark, attached = (question[name] for name in ("template", "values", "mark", "attached"))
    drawn = None if mark else _printed(template, values, attached)
    if drawn is None:
        if "qr" in values:
            values["qr"] = codes.svg(values["qr"])
        page = fill(template, values)
        drawn = draw(marked(page, mark) if mark else page, attached)
    if len(drawn) > _LARGEST:
        raise Unavailable(template=f"the document has more than {_LARGEST} bytes")
    return drawn


def _printed(template: str, values: dict[str, Any], attached: dict[str, str]) -> bytes | None:
    page = fill(template, values | {"qr": codes.OPENING} if "qr" in values else values)
    if not prints_only(template, "qr"):
        return None
    from approval.documents import plates  # noqa: PLC0415 -- WeasyPrint takes a second, and a fault needs none

    return plates.draw(page, values.get("qr"), attached)


if __name__ == "__main__":
    serve(_answer)
