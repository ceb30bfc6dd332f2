"""The press's child: asked on standard input, it answers on standard output, and reads no file but our fonts."""

import json
import os
import resource
import signal
from typing import Any

from approval.documents import frames
from approval.documents.drawing import draw
from approval.documents.filling import fault, fill, qr
from approval.domain.errors import Unavailable

_LARGEST = 32 * 2**20
_LONGEST = 500


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    questions = os.fdopen(os.dup(0), "rb", buffering=0)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints is no answer
    while (asked := frames.read(questions)) is not None:
        frames.write(answers, _answer(json.loads(asked)))


def _answer(question: dict[str, Any]) -> bytes:
    # Both hold where the asker cannot: one against the memory, one for when the asker is gone and kills nobody.
    _, hardest = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (question["megabytes"] * 2**20, hardest))
    signal.setitimer(signal.ITIMER_REAL, question["seconds"])
    try:
        if "values" in question:
            return _rendered(question["template"], question["values"])
        return json.dumps(fault(question["template"])).encode()
    except Unavailable as refusal:
        facts = refusal.facts
    except MemoryError:
        raise  # whatever ran out halfway is not asked again
    except Exception as reason:  # noqa: BLE001 -- whatever a stranger's page brings about is told as its fault
        facts = {"template": f"{type(reason).__name__}: {reason}"}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return json.dumps({name: str(fact)[:_LONGEST] for name, fact in facts.items()}).encode()


def _rendered(template: str, values: dict[str, Any]) -> bytes:
    if "verify_url" in values:
        values["qr"] = qr(values["verify_url"])
    drawn = draw(fill(template, values))
    if len(drawn) > _LARGEST:
        raise Unavailable(template=f"the document has more than {_LARGEST} bytes")
    return drawn


if __name__ == "__main__":
    _main()
