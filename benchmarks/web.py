"""How long the pages take on the server, with 10,000 cases and 10,000 open tasks in the database.

`python -m benchmarks.web` makes such an office in a temporary folder (about a minute) and calls every page in
this process, through the whole WSGI application. `empty` is a page that opens a Work and shows nothing: what
the house itself costs. Ratios to it hold on other machines, milliseconds on this one.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from flask import Flask, render_template_string
from flask.testing import FlaskClient
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from approval.app import create_app
from approval.models.cases import Case
from approval.models.items import ItemVersion
from approval.models.materials import Material
from approval.models.people import Person
from approval.models.tasks import Progress, Task
from approval.office import Office, Work
from approval.services import drafts, people
from approval.services.tasks import Tab
from approval.web.door import Door
from benchmarks import crowds
from certificates import Licence

_CALLS, _WARMING = 40, 5
_MOST = 150
_OK, _SEE_OTHER = 200, 303
_EMPTY = '{% extends "base.html" %}{% block title %}空{% endblock %}{% block main %}<h1>空</h1>{% endblock %}'


@dataclass(frozen=True)
class Page:
    """A page to measure: its name in the figures, who opens it, and where it is."""

    name: str
    code: str
    path: str


def main() -> None:
    """Measure every page and print its figures."""
    with tempfile.TemporaryDirectory() as folder:
        office = crowds.gather(Path(folder), 10_000, 10_000)
        try:
            _measure_all(office)
        finally:
            office.close()


def _measure_all(office: Office) -> None:
    app = create_app(office=office)
    app.register_blueprint(_empty_door())
    clients = {code: signed_in(app, code) for code in ("", "chen", "lin", "wang", "huang", "admin")}
    empty = 0.0
    for page in _pages(office):
        took = measure(clients[page.code], page.path)
        if page.name == "empty":
            empty = median(took)
        print(f"figure web.{page.name}.median {median(took):.1f} ms (target <= {_MOST} ms)")
        print(f"figure web.{page.name}.p95 {quantiles(took, n=20)[-1]:.1f} ms (target <= {_MOST} ms)")
        print(f"figure web.{page.name}.ratio {median(took) / empty:.1f} empty pages", flush=True)


def measure(client: FlaskClient, path: str) -> list[float]:
    for _ in range(_WARMING):
        _call(client, path)
    return [_call(client, path) for _ in range(_CALLS)]


def _call(client: FlaskClient, path: str) -> float:
    began = time.perf_counter()
    reply = client.get(path)
    took = (time.perf_counter() - began) * 1000
    if reply.status_code != _OK:
        sys.exit(f"{path} answers {reply.status}")
    return took


def _empty_door() -> Door:
    door = Door("empty", __name__)

    @door.get("/empty")
    def empty(_work: Work) -> str:
        return render_template_string(_EMPTY)

    return door


def signed_in(app: Flask, code: str) -> FlaskClient:
    client = app.test_client()
    if code:
        app.config["WTF_CSRF_ENABLED"] = False
        reply = client.post("/sign-in", data={"name": code, "password": crowds.PASSWORD})
        app.config["WTF_CSRF_ENABLED"] = True
        if reply.status_code != _SEE_OTHER:
            sys.exit(f"{code} cannot sign in: {reply.status}")
    return client


def _pages(office: Office) -> Iterator[Page]:
    with office.work() as work:
        draft = drafts.begin(work.acting_as(people.actor_by_code(work, "chen")), crowds.ITEM).id
    with office.work(read_only=True) as work:
        yield from _public_pages(work)
        yield from _applicants_pages(work)
        yield from _drafts_pages(f"/drafts/{draft}")
        yield from _officers_pages(work)
        yield from _administrators_pages(work)


def _public_pages(work: Work) -> Iterator[Page]:
    token = _first(work, select(Licence.token))
    yield Page("empty", "", "/empty")
    yield Page("home", "", "/")
    yield Page("search", "", "/search?q=食品")
    yield Page("guide", "", f"/items/{crowds.ITEM}")
    yield Page("sign-in", "", "/sign-in")
    yield Page("verification", "", f"/verify/{token}")


def _applicants_pages(work: Work) -> Iterator[Page]:
    chen = _first(work, select(Person.id).where(Person.code == "chen"))
    theirs = select(Case).where(Case.applicant_id == chen).order_by(Case.filed_at)
    under_way = _first(work, theirs.where(Case.status == "accepted"))
    granted = _first(work, theirs.where(Case.status == "concluded", Case.decision == "granted"))
    material = _first(work, select(Material.id).where(Material.case_id == under_way.id))
    yield Page("my-cases", "chen", "/my/cases")
    yield Page("my-cases.organization", "lin", "/my/cases?for=restaurant")
    yield Page("case", "chen", f"/my/cases/{under_way.number}")
    yield Page("case.granted", "chen", f"/my/cases/{granted.number}")
    yield Page("receipt", "chen", f"/my/cases/{under_way.number}/receipt")
    yield Page("inbox", "chen", "/my/notices")
    yield Page("licences", "chen", "/my/licences")
    yield Page("material", "chen", f"/materials/{material}")


def _drafts_pages(draft: str) -> Iterator[Page]:
    yield Page("draft", "chen", draft)
    yield Page("draft.section", "chen", f"{draft}/answers/business")
    yield Page("draft.materials", "chen", f"{draft}/materials")
    yield Page("draft.check", "chen", f"{draft}/check")


def _officers_pages(work: Work) -> Iterator[Page]:
    huang = _first(work, select(Person.id).where(Person.code == "huang"))
    theirs = select(Task).where(Task.element == "document_review", Task.progress == Progress.OPEN)
    task = _first(work, theirs.where(Task.claimed_by == huang).options(joinedload(Task.case)))
    for tab in Tab:
        yield Page(f"queue.{tab}", "huang", f"/window/tasks?tab={tab}")
    yield Page("queue.window", "wang", "/window/tasks?tab=all")
    yield Page("queue.last-page", "huang", "/window/tasks?tab=all&page=20")
    yield Page("queue.search", "huang", f"/window/tasks?number={task.case.number[-8:]}")
    yield Page("task", "huang", f"/window/tasks/{task.id}")
    yield Page("officers-case", "huang", f"/window/cases/{task.case.number}")


def _administrators_pages(work: Work) -> Iterator[Page]:
    version = _first(work, select(ItemVersion.id))
    number = _first(work, select(Case.number).where(Case.status == "accepted"))
    yield Page("packs", "admin", "/admin/packs")
    yield Page("version", "admin", f"/admin/versions/{version}")
    yield Page("admins-case", "admin", f"/admin/cases/{number}")
    yield Page("people", "admin", "/admin/people")


def _first(work: Work, wanted: Select[Any]) -> Any:
    return work.session.scalars(wanted.limit(1)).one()


if __name__ == "__main__":
    main()
