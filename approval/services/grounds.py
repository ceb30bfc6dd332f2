"""Grounds (办理依据): by which articles each thing happened on a case, in the text that was in force that day."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

from approval.domain.countdown import legal_day
from approval.domain.laws import Citation
from approval.models.cases import JournalEntry
from approval.office import Work
from approval.services import citations, laws
from approval.services.dossiers import Dossier
from approval.services.laws import Article

# What the law says of the acts that are verbs of ours; what a pack says of its own steps stands in the pack.
_OF_ACTS: Final[Mapping[str, str]] = {
    "case:filed": "行政许可法#29 行政许可法#31",
    "case:accepted": "行政许可法#32.1.5",
    "case:deemed-accepted": "行政许可法#32.1.4",
    "case:correction-asked": "行政许可法#32.1.4",
    "case:correction-allowed": "行政许可法#32.1.4",
    "case:declined": "行政许可法#32.1.1 行政许可法#32.1.2",
    "case:granted": "行政许可法#38.1",
    "case:refused": "行政许可法#38.2",
    "case:delivered": "行政许可法#44",
    "licence:issued": "行政许可法#39",
    "licence:changed": "行政许可法#49",
    "licence:renewed": "行政许可法#50",
    "licence:rescinded": "行政许可法#69",
    "licence:cancelled": "行政许可法#70",
}
# The limit of a pack that an act begins or ends with.
_LIMITS: Final[Mapping[str, str]] = {
    "case:filed": "limits.acceptance",
    "case:accepted": "limits.decision",
    "case:deemed-accepted": "limits.decision",
    "case:granted": "limits.delivery",
    "case:refused": "limits.delivery",
    "licence:issued": "licence",
}
# Where an officer writes down the article that an opinion rests on.
_WRITTEN: Final = ("article", "basis")


class Ground(NamedTuple):
    """An article that something rested on (办理依据): its text that day, None where the library has none."""

    citation: Citation
    day: date
    article: Article | None


def of_case(work: Work, dossier: Dossier) -> dict[int, list[Ground]]:
    """Find what each line of a case's journal rested on (逐项办理依据), by its number; lines without are left out."""
    said: dict[str, list[str]] = {}
    pack = dossier.pack
    for basis in citations.of_pack(pack.digest, lambda: pack.files):
        said.setdefault(basis.place, []).append(basis.text)
    known, zone = laws.library(work), work.office.settings.tz
    wanted: dict[int, list[tuple[Citation, date]]] = {}
    for line in dossier.journal:
        day = legal_day(line.at, zone)
        cited = dict.fromkeys(one for text in _texts(dossier, line, said) for one in known.find(text))
        if cited:
            wanted[line.sequence] = [(citation, day) for citation in cited]
    found = laws.texts(work, (each for listed in wanted.values() for each in listed))
    return {
        line: [Ground(citation, day, found.get((citation, day))) for citation, day in listed]
        for line, listed in wanted.items()
    }


def _texts(dossier: Dossier, line: JournalEntry, said: Mapping[str, list[str]]) -> Iterator[str]:
    """List what may name the grounds of a line: the law, the pack, and who did it."""
    yield _OF_ACTS.get(line.tag, "")
    places = [_LIMITS.get(line.tag, ""), f"limits.{line.facts.get('countdown')}"]
    places += [str(line.facts.get(part)) for part in ("task", "timer", "errand")]
    yield from (text for place in places for text in said.get(place, ()))
    for opinion in dossier.opinions:
        if opinion.task.element == line.facts.get("task") and opinion.task.closed_at == line.at:
            yield from (str(opinion.content.get(name, "")) for name in _WRITTEN)
