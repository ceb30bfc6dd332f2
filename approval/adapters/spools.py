"""Spools (投递交接): short messages and post are handed to whoever carries them as files in a folder.

Each letter is `<folder>/<way>/<id>.json`, canonical JSON in UTF-8, written whole before it gets its name:

    {"format": "approval-handover/1", "id": "…", "way": "sms", "to": "+8613800000000", "text": "…", "at": "…Z"}
    {"format": "approval-handover/1", "id": "…", "way": "post", "to": "…", "name": "…", "text": "…", "at": "…Z",
     "file": "<id>.pdf", "sha256": "…"}

`<id>.pdf` is there before the JSON that names it. The same id is the same letter: whoever carries it removes both
files, or moves them, once it is on its way.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from approval.domain.errors import Unavailable
from approval.domain.ports import Letter

FORMAT = "approval-handover/1"


@dataclass(frozen=True)
class Spool:
    """Hands letters over in a folder (交接目录)."""

    folder: Path

    def send(self, letter: Letter) -> dict[str, str]:
        """Put a letter into the folder; see the port. Asked again, it is the same file."""
        said = {"format": FORMAT, "id": letter.id, "way": letter.way, "to": letter.to, "text": letter.text}
        said |= {"at": letter.at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        folder = self.folder / letter.way
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if letter.file:
                said |= {"name": letter.name, "file": f"{letter.id}.pdf"}
                said["sha256"] = hashlib.sha256(letter.file).hexdigest()
                _write(folder / said["file"], letter.file)
            whole = json.dumps(said, ensure_ascii=False, sort_keys=True).encode()
            _write(folder / f"{letter.id}.json", whole)
        except OSError as reason:
            raise Unavailable(spool=type(reason).__name__) from reason
        return {"file": f"{letter.way}/{letter.id}.json", "sha256": hashlib.sha256(whole).hexdigest()}


def _write(path: Path, content: bytes) -> None:
    made = path.with_suffix(f"{path.suffix}.part")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)
