"""What somebody had typed (未提交的内容), kept while they sign in again because their session had ended.

It travels in the page, sealed with our key for the very person and address: nobody else can slip anything in.
"""

from typing import NamedTuple

from flask import current_app, request, session
from itsdangerous import BadData, URLSafeSerializer

PERSON = "person"
# Below what a form may hold, with room for the rest of the sign-in form.
_LARGEST = 400_000
_OURS = "csrf_token"


class Kept(NamedTuple):
    """A form that waits to be posted again (待重新提交的表单); `files` tells that some have to be chosen anew."""

    person: str
    path: str
    fields: list[tuple[str, str]]
    files: bool


def seal() -> str:
    """Keep the form that is being posted (保留表单) for whoever was signed in here before; "" when it cannot be.

    Only text is kept: no file, no password. A browser that somebody signed out of keeps nothing.
    """
    if request.method != "POST" or PERSON not in session or "HX-Request" in request.headers:
        return ""
    fields = [(name, text) for name, text in request.form.items(multi=True) if _may_be_kept(name)]
    files = any(file.filename for file in request.files.values())
    sealed = _sealer().dumps([session[PERSON], request.full_path.rstrip("?"), fields, files])
    sealed = sealed.decode() if isinstance(sealed, bytes) else sealed
    return sealed if len(sealed) <= _LARGEST else ""


def unseal(sealed: str) -> Kept | None:
    """Open what was kept (取回表单); None for anything that we did not seal."""
    try:
        person, path, fields, files = _sealer().loads(sealed)
    except BadData:
        return None
    return Kept(person, path, [(name, text) for name, text in fields], files)


def _may_be_kept(name: str) -> bool:
    return name != _OURS and "password" not in name


def _sealer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="kept")
