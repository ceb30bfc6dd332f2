"""Changing who one is (换人): for the demonstration only; in production these addresses do not exist."""

import tomllib
from typing import Any

from flask import abort, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from approval.office import Work
from approval.services import people
from approval.services.rehearsals import CITY
from approval.web import sign
from approval.web.door import Door

door = Door("switch", __name__)

_NOT_FOUND = 404
_CITIZEN, _AGENT = "person", "organization"
_ORDER = (_CITIZEN, _AGENT, "window", "examiner", "inspector", "reviewer", "presider", "signer", "administrator")


@door.get("/switch")
def form(work: Work) -> str:
    """Show everybody of the demonstration, by role (换人)."""
    return _form(work)


@door.post("/switch")
def switch(work: Work) -> Any:
    """Become somebody else (换人); without a name, show who there is."""
    code = request.form.get("code")
    if not code:
        return _form(work)
    person = _demo_people().get(code) or abort(_NOT_FOUND)
    enterprise = next(iter(person.get("agent_for", [])), None)
    inside = url_for("portal.mine", **{"for": enterprise}) if enterprise and "portal" in _doors(work) else ""
    return sign.begin(work, *people.switch(work, code), inside)


@door.get("/switch/<code>.p12")
def certificate(work: Work, code: str) -> Response:
    """Hand out a demo person's certificate with its key (示例证书), as a real authority would to nobody else."""
    file = work.office.settings.instance.resolve() / "people" / f"{code}.p12"
    if code not in _demo_people() or not file.is_file():
        abort(_NOT_FOUND)
    return send_file(file, "application/x-pkcs12", as_attachment=True)


def _form(work: Work) -> str:
    groups: dict[str, list[dict[str, Any]]] = {role: [] for role in _ORDER}
    for person in _demo_people().values():
        posts = person.get("posts", [])
        groups[posts[0]["role"] if posts else _AGENT if person.get("agent_for") else _CITIZEN].append(person)
    return render_template(
        "sign/switch.html",
        groups={role: there for role, there in groups.items() if there},
        password=_city().get("password", ""),
        departments=people.departments(work),
        enterprises={each["code"]: each for each in _city()["organizations"]},
        folder=work.office.settings.instance.resolve() / "people",
        **sign.carried(),
    )


def _doors(work: Work) -> list[str]:
    return work.office.settings.doors.split()


def _demo_people() -> dict[str, dict[str, Any]]:
    return {person["code"]: person for person in _city()["people"]}


def _city() -> dict[str, Any]:
    return tomllib.loads((CITY / "city.toml").read_text(encoding="utf-8"))
