"""The door (门): one kind of visitor comes in by it, and each view is handed one Work."""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, cast

from flask import Blueprint, Response, abort, current_app, g, make_response, request

from approval.domain.actors import VISITOR
from approval.domain.errors import NotSignedIn, Overtaken
from approval.office import Office, conflicted
from approval.services import notices
from approval.web import visitors

PAGE = 50
View = Callable[..., Any]
_SAFE = frozenset({"GET", "HEAD"})
_BAD_REQUEST = 400
_LAST_PAGE = 10_000


def office() -> Office:
    """Bring the office that this application stands for (当前办公室)."""
    return cast("Office", current_app.extensions["office"])


def asked_page() -> int:
    """Read which page of a list is asked for (页码), from 1; far beyond any list it is the last that can be."""
    return min(max(1, request.args.get("page", 1, type=int)), _LAST_PAGE)


class Slowly(NamedTuple):
    """What a view goes on to do after its Work is closed (慢事): it takes seconds and must hold nothing meanwhile.

    `act` answers the visitor, and opens Works of its own by `office()` as it needs them.
    """

    act: Callable[[], Any]


class Door(Blueprint):
    """A blueprint whose views take a Work first (门). The Work is committed before the reply goes out.

    A GET opens a read-only Work, anything else a writing one; `writes` says otherwise. A Refusal rolls back.
    `for_people` turns away whoever is not signed in.
    """

    def __init__(self, name: str, import_name: str, *, for_people: bool = False) -> None:
        super().__init__(name, import_name)
        self.for_people = for_people

    def route(self, rule: str, *, writes: bool | None = None, **options: Any) -> Callable[[Any], Any]:
        """Register a view `view(work, **values)`; see the class."""

        def register(view: View) -> View:
            @wraps(view)
            def received(**values: Any) -> Response:
                return self._receive(view, writes, values)

            self.add_url_rule(rule, options.pop("endpoint", None), received, **options)
            return view

        return register

    # Flask's own annotation of these two knows no view that answers `Slowly`.
    def get(self, rule: str, **options: Any) -> Callable[[Any], Any]:
        """Register a view for GET."""
        return self.route(rule, methods=["GET"], **options)

    def post(self, rule: str, **options: Any) -> Callable[[Any], Any]:
        """Register a view for POST."""
        return self.route(rule, methods=["POST"], **options)

    def _receive(self, view: View, writes: bool | None, values: dict[str, Any]) -> Response:
        _require_own_origin()
        _require_text(values)
        read_only = request.method in _SAFE if writes is None else not writes
        try:
            answer = self._ask(view, values, read_only=read_only)
        except Overtaken as lost:
            # What the database undid in favour of another is tried once more, on what is there now. An upload is not:
            # its bytes were read.
            if not conflicted(lost) or request.files:
                raise
            g.pop("afterwards", None)
            answer = self._ask(view, values, read_only=read_only)
        reply = make_response(answer.act()) if isinstance(answer, Slowly) else answer
        if notes := g.pop("afterwards", ()):
            with office().work() as work:
                for note in notes:
                    note(work)
        return reply

    def _ask(self, view: View, values: dict[str, Any], *, read_only: bool) -> Response | Slowly:
        with office().work(by=VISITOR, read_only=read_only) as work:
            g.actor = visitors.recognise(work)
            if self.for_people and g.actor.person is None:
                raise NotSignedIn
            g.unread = notices.unread(work.acting_as(g.actor))
            answer = view(work.acting_as(g.actor), **values)
            # A reply is finished inside the Work, because what it shows may be read as it is shown.
            reply: Response | Slowly = answer if isinstance(answer, Slowly) else make_response(answer)
        return reply


def _require_own_origin() -> None:
    # Beside the token in every form: what another site's page sends says so itself.
    own = {office().settings.origin.rstrip("/"), request.host_url.rstrip("/")}
    if request.method not in _SAFE and request.headers.get("Origin", request.host_url.rstrip("/")) not in own:
        abort(_BAD_REQUEST)


def _require_text(values: dict[str, Any]) -> None:
    # PostgreSQL takes no NUL in a text, and nobody types one.
    given = [str(value) for value in values.values()] + [value for _, value in request.values.items(multi=True)]
    if any("\0" in text for text in given):
        abort(_BAD_REQUEST)
