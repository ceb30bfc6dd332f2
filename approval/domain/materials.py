"""Materials (申请材料): what kind of file its first bytes say it is, and what it may be called."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

_MAGIC = {"pdf": b"%PDF-", "png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff"}
_SUFFIXES = {".pdf": "pdf", ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg"}
MEDIA_TYPES = {"pdf": "application/pdf", "png": "image/png", "jpeg": "image/jpeg"}
_FORMATS = {media_type: kind for kind, media_type in MEDIA_TYPES.items()}

_LONGEST_NAME = 120
# Names of people hold ideographs that this Python does not know yet; nothing else is on those two planes.
_IDEOGRAPHS = range(0x20000, 0x40000)
_UNSAVEABLE = re.compile(r'[<>:"/\\|?*%\x00-\x1f]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Upload:
    """A file that an applicant hands in (上传材料) for one requirement of the item."""

    requirement: str
    filename: str
    content: bytes


class Kept(Protocol):
    """A file that is kept (已存材料), of a case or of a draft."""

    @property
    def filename(self) -> str:
        """What it is shown as."""

    @property
    def media_type(self) -> str:
        """What it is, by its first bytes."""

    @property
    def size(self) -> int:
        """How large it is, in bytes."""

    @property
    def sha256(self) -> str:
        """What its bytes are kept by."""


def media_format(upload: Upload) -> str | None:
    """Tell the format of an upload (材料格式): `pdf`, `png`, `jpeg`, or None when name and content disagree."""
    claimed = _SUFFIXES.get(PurePosixPath(upload.filename.lower()).suffix)
    if claimed is None or not upload.content.startswith(_MAGIC[claimed]):
        return None
    return claimed


def kept_format(file: Kept) -> str:
    """Tell the format of a file that is kept (已存材料格式): `pdf`, `png` or `jpeg`."""
    return _FORMATS[file.media_type]


def plain_name(filename: str) -> str:
    """Reduce a file name to a harmless one (材料文件名): its last part, printable, at most 120 characters.

    The name is only ever shown, never used as a path.
    """
    last = filename.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(char for char in last if _printable(char)).strip(". ")[-_LONGEST_NAME:].strip(". ") or "unnamed"


def download_name(file: Kept) -> str:
    """Name a file for whoever saves it (下载文件名): a name that every system takes, ending in what the file is."""
    kind = kept_format(file)
    name = _DEVICES.sub(r"\1_", _UNSAVEABLE.sub("_", plain_name(file.filename)), count=1)
    return name if _SUFFIXES.get(PurePosixPath(name.lower()).suffix) == kind else f"{name}.{kind}"


def _printable(char: str) -> bool:
    # The last two of every plane are never characters.
    return char.isprintable() or (ord(char) in _IDEOGRAPHS and ord(char) & 0xFFFE != 0xFFFE)  # noqa: PLR2004
