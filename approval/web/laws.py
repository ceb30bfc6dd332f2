"""The library of laws (法规库): anyone reads what an act says and said; an administrator publishes more."""

from datetime import date
from typing import Any

from flask import redirect, render_template, request, url_for

from approval.domain.errors import AnswersInvalid, Missing
from approval.domain.laws import LONGEST_TEXT, Act, ArticleText, Citation, Edition
from approval.models.laws import LawAct
from approval.office import Work
from approval.services import access, laws, posts
from approval.web.door import Door

door = Door("laws", __name__)
desk = Door("lawbook", __name__, for_people=True)

_SEE_OTHER = 303
_UNPROCESSABLE = 422
_ACT = ("code", "short", "zh", "en", "issuer", "document")
_EDITION = ("number", "text", "valid_from", "valid_until", "document")


@door.get("/laws")
def listed(work: Work) -> str:
    """List the acts (法规库)."""
    return render_template("public/laws.html", acts=laws.acts(work))


@door.get("/laws/<code>")
def act(work: Work, code: str) -> str:
    """Show an act: its articles in force today, and its versions (法规)."""
    found = laws.act(work, code)
    return render_template(
        "public/act.html",
        act=found,
        articles=laws.articles(work, found, on=work.today),
        versions=laws.versions(work, found),
    )


@door.get("/laws/<code>/<number>")
def article(work: Work, code: str, number: str) -> str:
    """Show an article: its text in force today, every text it had, and the items that cite it (条文)."""
    found = laws.act(work, code)
    citation = Citation(found.short, number)
    return render_template(
        "public/article.html",
        act=found,
        citation=citation,
        current=laws.text(work, citation, on=work.today),
        history=laws.history(work, found, number),
        touched=laws.touched(work, citation, cases=False),
    )


@desk.get("/admin/laws")
def shelf(work: Work) -> str:
    """List the acts for whoever keeps them (法规库管理)."""
    access.require_administrator(work)
    return render_template("admin/laws.html", acts=laws.acts(work))


@desk.get("/admin/laws/new")
def ask_act(work: Work) -> str:
    """Ask for a new act (登记法规)."""
    access.require_administrator(work)
    return _act_form(dict.fromkeys((*_ACT, "aliases"), ""), [])


@desk.post("/admin/laws")
def add_act(work: Work) -> Any:
    """Take a new act into the library (登记法规); what is wrong is told at once."""
    access.require_administrator(work)
    given = {name: request.form.get(name, "").strip() for name in (*_ACT, "aliases")}
    try:
        kept = laws.publish_act(
            work, Act(**{name: given[name] for name in _ACT}, aliases=tuple(given["aliases"].split()))
        )
    except AnswersInvalid as refused:
        return _act_form(given, refused.facts["missing"]), _UNPROCESSABLE
    return redirect(url_for("lawbook.show", code=kept.code), _SEE_OTHER)


@desk.get("/admin/laws/<code>")
def show(work: Work, code: str) -> str:
    """Show an act with its versions and who published them (法规管理)."""
    access.require_administrator(work)
    found = laws.act(work, code)
    return render_template(
        "admin/law.html",
        act=found,
        articles=laws.articles(work, found, on=work.today),
        versions=[(each, posts.who(work, each.published_by)) for each in laws.versions(work, found)],
        published=request.args.get("published", ""),
    )


@desk.get("/admin/laws/<code>/articles/new")
def ask_article(work: Work, code: str) -> str:
    """Ask what an article says from a day on (登记条文), beginning with what it says now."""
    access.require_administrator(work)
    found, number = laws.act(work, code), request.args.get("number", "")
    now = laws.text(work, Citation(found.short, number), on=work.today)
    given = dict.fromkeys((*_EDITION, "paraphrase"), "") | {"number": number, "text": now.text if now else ""}
    return _article_form(found, given, [])


@desk.post("/admin/laws/<code>/articles/check", writes=False)
def check(work: Work, code: str) -> Any:
    """Show what a new text of an article would touch, before it is published (发布前核对)."""
    access.require_administrator(work)
    found, given, edition = laws.act(work, code), _given(), _edition()
    if missing := list(edition.faults()):
        return _article_form(found, given, missing), _UNPROCESSABLE
    citation = Citation(found.short, edition.articles[0].number)
    return render_template(
        "admin/law_check.html",
        act=found,
        edition=edition,
        given=given,
        citation=citation,
        before=laws.text(work, citation, on=edition.valid_from),
        touched=laws.touched(work, citation),
        seen=laws.count(work, code),
    )


@desk.post("/admin/laws/<code>/articles")
def publish(work: Work, code: str) -> Any:
    """Publish what an article says from a day on (发布条文)."""
    access.require_administrator(work)
    seen = request.form.get("seen", -1, type=int)
    try:
        version = laws.publish(work, code, _edition(), seen=seen)
    except AnswersInvalid as refused:
        return _article_form(laws.act(work, code), _given(), refused.facts["missing"]), _UNPROCESSABLE
    return redirect(url_for("lawbook.show", code=code, published=version.ordinal), _SEE_OTHER)


def _act_form(given: dict[str, str], missing: list[Missing]) -> str:
    return render_template("admin/act_form.html", given=given, missing=missing)


def _article_form(found: LawAct, given: dict[str, str], missing: list[Missing]) -> str:
    return render_template("admin/article_form.html", act=found, given=given, missing=missing, longest=LONGEST_TEXT)


def _given() -> dict[str, str]:
    given = {name: request.form.get(name, "").strip() for name in (*_EDITION, "paraphrase")}
    return given | {"text": given["text"].replace("\r\n", "\n")}


def _edition() -> Edition:
    given = _given()
    text = ArticleText(given["number"], given["text"], bool(given["paraphrase"]))
    until = _day(given["valid_until"]) if given["valid_until"] else None
    return Edition(_day(given["valid_from"]), until, given["document"], (text,))


def _day(text: str) -> date:
    """Read a day; what is none is the first of all days, and found to be wrong."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min
