"""The library of laws (法规库): what an act said on which day, who cites it, and publishing what it says from a day on.

Nothing in it is ever changed or deleted: of the editions in force on a day the one that came into force last counts,
and of those of one day the one that was published last.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from functools import cache
from typing import NamedTuple

from sqlalchemy import func, or_, select

from approval.domain import laws
from approval.domain.cases import FINAL
from approval.domain.errors import AnswersInvalid, Missing, NotFound, Overtaken
from approval.domain.laws import Act, ArticleText, Citation, Edition, Library
from approval.models.cases import Case
from approval.models.items import ItemVersion, PackFile, ServiceItem
from approval.models.laws import LawAct, LawArticle, LawVersion
from approval.office import Work
from approval.paths import WORKFLOWS
from approval.services import access, citations
from approval.services.citations import Basis

_FOLDER = WORKFLOWS / "_law"
_SHIPPED = "shipped"
_MOST_CASES = 50


class Article(NamedTuple):
    """What an article says in an edition (条文): of which act, from when until when, by which document."""

    act: LawAct
    version: LawVersion
    number: str
    text: str
    paraphrase: bool

    @property
    def citation(self) -> Citation:
        """How it is cited (引用)."""
        return Citation(self.act.short, self.number)


class Touched(NamedTuple):
    """A version of an item that cites an article (受影响的事项): where, and its open cases, some of them by number."""

    version: ItemVersion
    in_force: bool
    places: list[str]
    running: int
    cases: list[str]


def bring(work: Work) -> None:
    """Bring the shipped acts into the library (导入随附法规); what was brought before is left alone.

    What the shipped data says anew of a day becomes a version of that day; what an administrator published stays.
    """
    for act, editions in _shipped():
        if work.session.get(LawAct, act.code) is None:
            _keep_act(work, act)
        for edition in editions:
            _keep(work, act.code, edition, _SHIPPED)


def shipped() -> Library:
    """Tell what the shipped acts hold (随附法规概要), for checks without an office."""
    names = {name: act.short for act, _ in _shipped() for name in act.names}
    held = ((act, article) for act, editions in _shipped() for edition in editions for article in edition.articles)
    return Library(names, frozenset(Citation(act.short, article.number) for act, article in held))


def library(work: Work) -> Library:
    """Tell what the library holds now (法规库概要)."""
    found = acts(work)
    short = {act.code: act.short for act in found}
    numbers = work.session.execute(select(LawArticle.act_code, LawArticle.number).distinct())
    names = {name: act.short for act in found for name in _act(act).names}
    return Library(names, frozenset(Citation(short[code], number) for code, number in numbers))


def acts(work: Work) -> Sequence[LawAct]:
    """List the acts (法规目录), by name."""
    return work.session.scalars(select(LawAct).order_by(LawAct.zh)).all()


def act(work: Work, code: str) -> LawAct:
    """Find an act by its code (查找法规); raises `NotFound`."""
    found = work.session.get(LawAct, code) if code.isprintable() else None
    if found is None:
        raise NotFound(act=code)
    return found


def versions(work: Work, of: LawAct) -> Sequence[LawVersion]:
    """List the editions of an act (历次版本), the newest in force first."""
    listed = select(LawVersion).where(LawVersion.act_code == of.code)
    return work.session.scalars(listed.order_by(LawVersion.valid_from.desc(), LawVersion.ordinal.desc())).all()


def articles(work: Work, of: LawAct, *, on: date) -> list[Article]:
    """List the articles of an act that are in force on a day (现行条文), in their order."""
    newest: dict[str, Article] = {}
    for article in _articles(work, [of.code]):
        if article.version.valid_from <= on:
            newest.setdefault(article.number, article)
    return sorted(filter(lambda each: _lasts(each, on), newest.values()), key=lambda each: _order(each.number))


def history(work: Work, of: LawAct, number: str) -> list[Article]:
    """List every text that an article had (条文沿革), the newest first; raises `NotFound` for one that had none."""
    found = [article for article in _articles(work, [of.code]) if article.number == number]
    if not found:
        raise NotFound(article=number)
    return found


def text(work: Work, citation: Citation, *, on: date) -> Article | None:
    """Find the text that was in force on a day (当日有效的条文), or that of what the citation is a part of."""
    return texts(work, {(citation, on)}).get((citation, on))


def texts(work: Work, wanted: Iterable[tuple[Citation, date]]) -> dict[tuple[Citation, date], Article]:
    """Find the texts in force for many citations and days (当日有效的条文), in one reading; some have none."""
    wanted = set(wanted)
    codes = select(LawAct.code).where(LawAct.short.in_({citation.law for citation, _ in wanted}))
    by_citation: defaultdict[Citation, list[Article]] = defaultdict(list)
    for article in _articles(work, work.session.scalars(codes).all()):
        by_citation[article.citation].append(article)
    found: dict[tuple[Citation, date], Article] = {}
    for citation, on in wanted:
        for broader in citation.broader():
            newest = next((each for each in by_citation[broader] if each.version.valid_from <= on), None)
            if newest and _lasts(newest, on):
                found[citation, on] = newest
                break
    return found


def survey(work: Work, act_: Act) -> list[Missing]:
    """Find what is wrong with a new act (核对法规), everything at once; its names must be nobody else's."""
    missing = list(act_.faults())
    taken = library(work).names
    if work.session.get(LawAct, act_.code) is not None:
        missing.append(Missing("answers.code", "taken"))
    missing += [Missing("answers.short", "taken", name) for name in sorted(act_.names & taken.keys())]
    return missing


def publish_act(work: Work, act_: Act) -> LawAct:
    """Take a new act into the library (登记法规); the same one again is the one that is there.

    Raises `NotSignedIn`, `NotAllowed` for whoever is no administrator, `AnswersInvalid` with everything that is wrong.
    """
    access.require_administrator(work)
    there = work.session.get(LawAct, act_.code) if act_.code.isprintable() else None
    if there is not None and _act(there) == act_:
        return there
    if missing := survey(work, act_):
        raise AnswersInvalid(missing=missing)
    return _keep_act(work, act_)


def publish(work: Work, code: str, edition: Edition, *, seen: int) -> LawVersion:
    """Publish what an act says from a day on (发布法规版本); what it says already is the version that is there.

    `seen` is the number of editions that whoever publishes looked at. Raises `NotSignedIn`, `NotAllowed` for whoever is
    no administrator, `NotFound`, `AnswersInvalid` with everything that is wrong, `Overtaken` when there are more now.
    """
    access.require_administrator(work)
    act(work, code)
    if missing := list(edition.faults()):
        raise AnswersInvalid(missing=missing)
    work.session.get_one(LawAct, code, with_for_update=True, populate_existing=True)
    if not _changed(_articles(work, [code]), edition):
        return _same(work, code, edition)
    if count(work, code) != seen:
        raise Overtaken(act=code)
    kept = _keep(work, code, edition, "")
    assert kept is not None
    return kept


def count(work: Work, code: str) -> int:
    """Count the editions of an act (版本数)."""
    return work.session.scalar(select(func.count()).where(LawVersion.act_code == code)) or 0


def touched(work: Work, citation: Citation, *, cases: bool = True) -> list[Touched]:
    """List the items and the open cases that cite an article (受影响的事项和在办件), or a part or the whole of it.

    Looked at are the versions in force and those that open cases are pinned to; without `cases` the former only.
    """
    open_cases = select(Case.item_version_id, func.count()).where(Case.status.not_in(FINAL))
    by_version = open_cases.group_by(Case.item_version_id)
    counts = {row[0]: row[1] for row in work.session.execute(by_version)} if cases else {}
    in_force = set(work.session.scalars(select(ServiceItem.version_id)))
    listed = select(ItemVersion).where(or_(ItemVersion.id.in_(in_force), ItemVersion.id.in_(counts)))
    found = work.session.scalars(listed.order_by(ItemVersion.name_zh, ItemVersion.ordinal.desc())).all()
    known, rows = library(work), []
    for version in found:
        cited = (basis.place for basis in _said(work, version) if _cites(known, basis, citation))
        if places := list(dict.fromkeys(cited)):
            count = counts.get(version.id, 0)
            numbers = select(Case.number).where(Case.item_version_id == version.id, Case.status.not_in(FINAL))
            some = work.session.scalars(numbers.order_by(Case.number).limit(_MOST_CASES)).all() if count else ()
            rows.append(Touched(version, version.id in in_force, places, count, list(some)))
    return rows


def _cites(known: Library, basis: Basis, citation: Citation) -> bool:
    return any(citation.overlaps(cited) for cited in known.find(basis.text))


def _said(work: Work, version: ItemVersion) -> tuple[Basis, ...]:
    """Read what a version says as a basis, without building its procedure."""
    rows = select(PackFile.path, PackFile.content).where(PackFile.version_id == version.id)
    return citations.of_pack(version.digest, lambda: dict(work.session.execute(rows).all()))


def _articles(work: Work, codes: Iterable[str]) -> list[Article]:
    """Read all texts of some acts, the one that counts first: the last to come into force, then the last published."""
    listed = (
        select(LawAct, LawVersion, LawArticle)
        .join(LawVersion, LawVersion.act_code == LawAct.code)
        .join(LawArticle, (LawArticle.act_code == LawAct.code) & (LawArticle.ordinal == LawVersion.ordinal))
        .where(LawAct.code.in_(codes))
        .order_by(LawVersion.valid_from.desc(), LawVersion.ordinal.desc())
    )
    return [
        Article(act, version, row.number, row.text, row.paraphrase)
        for act, version, row in work.session.execute(listed)
    ]


def _lasts(article: Article, on: date) -> bool:
    return article.version.valid_until is None or on <= article.version.valid_until


def _order(number: str) -> list[list[int]]:
    return [[int(each) for each in part.split("-")] for part in number.split(".")]


def _changed(standing: Sequence[Article], edition: Edition) -> tuple[ArticleText, ...]:
    """Leave out what an act says already from that day on, word for word."""
    newest: dict[str, Article] = {}
    for each in standing:
        if each.version.valid_from == edition.valid_from:
            newest.setdefault(each.number, each)
    return tuple(
        article
        for article in edition.articles
        if (there := newest.get(article.number)) is None
        or (there.text, there.paraphrase) != (article.text, article.paraphrase)
        or (there.version.valid_until, there.version.document) != (edition.valid_until, edition.document)
    )


def _same(work: Work, code: str, edition: Edition) -> LawVersion:
    numbers = {article.number for article in edition.articles}
    return next(
        article.version
        for article in _articles(work, [code])
        if article.number in numbers and article.version.valid_from == edition.valid_from
    )


def _keep_act(work: Work, act_: Act) -> LawAct:
    row = LawAct(
        **(asdict(act_) | {"aliases": list(act_.aliases)}), published_at=work.now, published_by=work.actor.label
    )
    work.session.add(row)
    work.session.flush()
    return row


def _keep(work: Work, code: str, edition: Edition, origin: str) -> LawVersion | None:
    """Keep what an edition says that was not said before, from the same origin if it is shipped."""
    said = [each for each in _articles(work, [code]) if not origin or each.version.origin == origin]
    changed = _changed(said, edition)
    known = select(LawVersion.ordinal).where(LawVersion.act_code == code, LawVersion.valid_from == edition.valid_from)
    if not changed and (edition.articles or work.session.scalar(known) is not None):
        return None
    version = LawVersion(
        act_code=code,
        ordinal=1 + count(work, code),
        valid_from=edition.valid_from,
        valid_until=edition.valid_until,
        document=edition.document,
        origin=origin,
        published_at=work.now,
        published_by=work.actor.label,
    )
    work.session.add(version)
    work.session.flush()
    for article in changed:
        work.session.add(LawArticle(act_code=code, ordinal=version.ordinal, **article._asdict()))
    work.session.flush()
    return version


def _act(row: LawAct) -> Act:
    return Act(row.code, row.short, row.zh, row.en, row.issuer, row.document, tuple(row.aliases))


@cache
def _shipped() -> tuple[tuple[Act, tuple[Edition, ...]], ...]:
    files = sorted(_FOLDER.glob("*.toml"))
    return tuple(laws.read(tomllib.loads(file.read_text(encoding="utf-8"))) for file in files)
