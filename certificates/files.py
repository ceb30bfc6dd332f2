"""Files that are whole or not there (证书文件): written beside their place, synced, renamed; for their owner only."""

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Write a file (写入文件) that others find complete, old or new, whatever happens meanwhile; 0600."""
    draft = _beside(path)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    _sync(path.parent)


def lay_down(directory: Path, files: Mapping[str, bytes], folders: tuple[str, ...] = ()) -> None:
    """Make a directory with files in it (建立目录), all or nothing; of two makers at once one wins; 0700."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    draft = _beside(directory)
    draft.mkdir(mode=0o700)
    for folder in folders:
        (draft / folder).mkdir(mode=0o700)
    for name, content in files.items():
        write(draft / name, content)
    try:
        draft.rename(directory)
    except OSError:  # somebody else was faster, and theirs is complete
        shutil.rmtree(draft)
    _sync(directory.parent)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
