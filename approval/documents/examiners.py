"""Examining seals (验章): a stranger's PDF is taken apart in a child process, which may be killed; see `children`.

Run by itself this module is that child. It is told whom to trust and answers what it found, question by question.
"""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

import certificates
from approval.documents.children import Child, serve
from certificates import Check, Question, Trust

_child = Child("approval.documents.examiners")


def examine(pdf: bytes, trust: Trust, now: datetime, *, seconds: float = 10, megabytes: int = 1024) -> list[Check]:
    """Ask an unknown PDF about its seal (版式文件验章), within limits; a file that breaks them cannot be read.

    `seconds` is the wall time it may take, `megabytes` the address space. Raises `Unavailable` when no child starts.
    """
    root, crl, tsas = trust.pem()
    answer = _child.ask({"root": root, "crl": crl, "tsas": tsas, "now": now.isoformat()}, seconds, megabytes, pdf)
    if answer is None:
        return [Check(Question.READABLE, False, f"> {seconds:g} s / {megabytes} MB")]
    return [Check(Question(row["question"]), row["holds"], row["detail"]) for row in json.loads(answer)]


def _answer(question: dict[str, Any], pdf: bytes) -> bytes:
    trust = Trust.read(question["root"], question["crl"], question["tsas"])
    found = certificates.examine_document(pdf, trust, datetime.fromisoformat(question["now"]))
    return json.dumps([asdict(check) for check in found]).encode()


if __name__ == "__main__":
    serve(_answer)
