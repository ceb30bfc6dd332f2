"""Materials (申请材料): what kind of file its first bytes say it is."""

from dataclasses import dataclass
from pathlib import PurePosixPath

_MAGIC = {"pdf": b"%PDF-", "png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff"}
_SUFFIXES = {".pdf": "pdf", ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg"}
MEDIA_TYPES = {"pdf": "application/pdf", "png": "image/png", "jpeg": "image/jpeg"}


@dataclass(frozen=True)
class Upload:
    """A file that an applicant hands in (上传材料) for one requirement of the item."""

    requirement: str
    filename: str
    content: bytes


def media_format(upload: Upload) -> str | None:
    """Tell the format of an upload (材料格式): `pdf`, `png`, `jpeg`, or None when name and content disagree."""
    claimed = _SUFFIXES.get(PurePosixPath(upload.filename.lower()).suffix)
    if claimed is None or not upload.content.startswith(_MAGIC[claimed]):
        return None
    return claimed


def plain_name(filename: str) -> str:
    """Reduce a file name to a harmless one (材料文件名): its last part, printable, at most 120 characters.

    The name is only ever shown, never used as a path.
    """
    last = filename.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(char for char in last if char.isprintable()).strip(". ")[-120:] or "unnamed"
