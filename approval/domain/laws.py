"""Laws (法规): citations of articles as people and machines write them, and what an act and its editions say."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, Self

from approval.domain.errors import Missing
from approval.domain.texts import unseen

LONGEST_NAME = 80
LONGEST_TEXT = 20_000
_PEOPLES = "中华人民共和国"
_DIGITS = "零一二三四五六七八九"
_SPOKEN = "[零〇一二两三四五六七八九十百]{1,7}|[0-9]{1,3}"
_CODE = re.compile(r"(?!new$)[a-z][a-z0-9-]{0,39}")  # `new` is the address of the form
_NAME = r"[\u4e00-\u9fff][\u4e00-\u9fffA-Za-z0-9〔〕（）·]{1,79}"
# 条, or 条之一; then 款, 项, 目; 0 stands for a part that is not named: the items of an article of one paragraph.
_NUMBER = r"[1-9][0-9]{0,2}(?:-[1-9][0-9]?)?(?:\.(?:0|[1-9][0-9]?)){0,3}"
_WRITTEN = re.compile(rf"({_NAME})#({_NUMBER})?(?![0-9])")
_ARTICLE = re.compile(
    rf"第(?P<article>{_SPOKEN})条(?:之(?P<more>{_SPOKEN}))?(?:第(?P<paragraph>{_SPOKEN})款)?"
    rf"(?:第(?P<items>[（(]?(?:{_SPOKEN})[）)]?(?:[、和](?:{_SPOKEN}))*)项)?(?:第(?P<point>{_SPOKEN})目)?"
)
# What stands between two articles of one act.
_JOINED = re.compile(r"[、,，和及与或至\s]*")
_UNKNOWN = re.compile(
    r"(?:依照|依据|根据|按照|违反|适用|[《：])?([\u4e00-\u9fff]{1,30}?(?:法|条例|办法|规定|细则|规则|决定))$"
)


def numeral(number: int) -> str:
    """Say a number from 1 to 999 as statutes do (汉字数词)."""
    hundreds, tens, ones = number // 100, number // 10 % 10, number % 10
    said = f"{_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        said += "十" if tens == 1 and not hundreds else f"{_DIGITS[tens]}十"
    elif hundreds and ones:
        said += "零"
    return said + (_DIGITS[ones] if ones else "")


def count(said: str) -> int:
    """Read a number as statutes write it (读取汉字数词), or in Arabic digits; 0 for what is none."""
    if said.isascii():
        return int(said) if said.isdigit() else 0
    total = digit = 0
    for each in said.replace("〇", "零").replace("两", "二"):
        if each in "十百":
            total += (digit or 1) * (10 if each == "十" else 100)
            digit = 0
        else:
            digit = _DIGITS.find(each)
    return total + digit


class Citation(NamedTuple):
    """An article as it is cited (法条引用): an act by one of its names, and 条.款.项.目; no number is the whole act."""

    law: str
    number: str

    @property
    def canonical(self) -> str:
        """As packs and programs write it (规范引用): `行政许可法#32.1.4`."""
        return f"{self.law}#{self.number}"

    @property
    def human(self) -> str:
        """As people write it (法条引用): 行政许可法第三十二条第一款第四项."""
        if not self.number:
            return f"《{self.law}》"
        article, *parts = self.number.split(".")
        article, _, more = article.partition("-")
        said = f"{self.law}第{numeral(int(article))}条" + (f"之{numeral(int(more))}" if more else "")
        for part, unit in zip(parts, "款项目", strict=False):
            said += f"第{numeral(int(part))}{unit}" if part != "0" else ""
        return said

    def broader(self) -> Iterator[Self]:
        """List the citation and those it is a part of (上位条款), the narrowest first."""
        parts = self.number.split(".")
        for length in range(len(parts), 0, -1):
            if parts[length - 1] != "0":
                yield self._replace(number=".".join(parts[:length]))

    def overlaps(self, other: "Citation") -> bool:
        """Tell whether a change of one touches the other (条款相关): it is the same, a part of it, or all of it."""
        if self.law != other.law:
            return False
        return not (self.number and other.number) or self in other.broader() or other in self.broader()


class ArticleText(NamedTuple):
    """The text of an article in one edition (条文); a paraphrase is ours, and the official text decides."""

    number: str
    text: str
    paraphrase: bool


@dataclass(frozen=True)
class Edition:
    """What one promulgation says (法规版本): in force from a day, until a day or without end."""

    valid_from: date
    valid_until: date | None
    document: str
    articles: tuple[ArticleText, ...]

    def faults(self) -> Iterator[Missing]:
        """Find what is wrong with it (校验法规版本)."""
        if self.valid_from == date.min:
            yield Missing("answers.valid_from", "not-a-date")
        if self.valid_until and self.valid_until < self.valid_from:
            yield Missing("answers.valid_until", "out-of-range" if self.valid_until > date.min else "not-a-date")
        yield from _line("document", self.document)
        for article in self.articles:
            if not re.fullmatch(_NUMBER, article.number) or article.number.endswith(".0"):
                yield Missing("answers.number", "wrong-form")
            if not article.text.strip() or unseen(article.text, lines=True):
                yield Missing("answers.text", "required")
            elif len(article.text) > LONGEST_TEXT:
                yield Missing("answers.text", "too-long")


@dataclass(frozen=True)
class Act:
    """An act of the library (法规): `short` is the name citations are kept under, `aliases` others it goes by."""

    code: str
    short: str
    zh: str
    en: str
    issuer: str
    document: str
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """All the names by which it is cited (法规名称)."""
        return frozenset({self.short, self.zh, self.zh.removeprefix(_PEOPLES), *self.aliases})

    def faults(self) -> Iterator[Missing]:
        """Find what is wrong with it (校验法规)."""
        if not _CODE.fullmatch(self.code):
            yield Missing("answers.code", "wrong-form")
        for name in ("zh", "en", "issuer", "document"):
            yield from _line(name, getattr(self, name))
        for where, name in (("short", self.short), *(("aliases", alias) for alias in self.aliases)):
            if not re.fullmatch(_NAME, name):
                yield Missing(f"answers.{where}", "wrong-form")


@dataclass(frozen=True)
class Library:
    """What the library knows (法规库概要): the short name behind every name, and which articles have a text."""

    names: Mapping[str, str]
    articles: frozenset[Citation]

    def held(self, citation: Citation) -> Citation | None:
        """Find what the library has of a citation (已收录的条款): it, or the narrowest that it is a part of."""
        if not citation.number:
            return citation if citation.law in self.names.values() else None
        return next((broader for broader in citation.broader() if broader in self.articles), None)

    def find(self, text: str) -> list[Citation]:
        """Find the citations in a text (识别引用), as `find` does, by the names that are known here."""
        return find(text, self.names)

    def known(self, text: str) -> list[Citation]:
        """Find what a text cites and the library has (已收录的引用)."""
        return [held for citation in self.find(text) if (held := self.held(citation))]


def read(data: Mapping[str, Any]) -> tuple[Act, tuple[Edition, ...]]:
    """Read an act and its editions from the TOML of the shipped library (读取法规文件)."""
    names = ("code", "short", "zh", "en", "issuer", "document")
    editions = (
        Edition(
            each["valid_from"],
            each.get("valid_until"),
            each["document"],
            tuple(
                ArticleText(number, text["text"], text.get("paraphrase", False))
                for number, text in each.get("articles", {}).items()
            ),
        )
        for each in data["versions"]
    )
    return Act(**{name: data[name] for name in names}, aliases=tuple(data.get("aliases", ()))), tuple(editions)


def parse(text: str) -> Citation | None:
    """Read a text that is one citation and nothing else (解析引用), in either form; None for anything else."""
    if match := _WRITTEN.fullmatch(text.strip()):
        return Citation(match[1], match[2] or "")
    if match := re.fullmatch(rf"《({_NAME})》", text.strip()):
        return Citation(match[1], "")
    match = _ARTICLE.search(text)
    law = text[: match.start()].strip().removeprefix("《").removesuffix("》") if match else ""
    if match is None or match.end() < len(text.rstrip()) or not re.fullmatch(_NAME, law):
        return None
    numbers = list(_numbers(match))
    return Citation(law, numbers[0]) if len(numbers) == 1 else None


def find(text: str, names: Mapping[str, str], *, default: str = "") -> list[Citation]:
    """Find the citations in a text (识别引用), each once, in the order of their forms.

    `names` leads from every name of a known act to its short one; what follows no name belongs to the act before it,
    where only commas stand between, and else to `default`. A known act without an article is cited as a whole.
    """
    found: dict[Citation, None] = {}
    for match in _WRITTEN.finditer(text):
        found[Citation(_known(match[1], names) or match[1], match[2] or "")] = None
    law, end = default, 0
    for match in _ARTICLE.finditer(text):
        before = text[: match.start()].rstrip("》 ")
        if named := _named(before, names):
            law = named
        elif not _JOINED.fullmatch(text[end : match.start()]):
            law = default
        end = match.end()
        found |= {Citation(law, number): None for number in _numbers(match) if law}
    cited = {citation.law for citation in found}
    for name, short in names.items():
        if short not in cited and re.search(rf"{re.escape(name)}(?![#\u4e00-\u9fff])", text):
            found[Citation(short, "")] = None
    return list(found)


def _known(before: str, names: Mapping[str, str]) -> str:
    name = max((name for name in names if before.endswith(name)), key=len, default="")
    return names.get(name, "")


def _named(before: str, names: Mapping[str, str]) -> str:
    if known := _known(before, names):
        return known
    unknown = _UNKNOWN.search(before)
    return unknown[1].removeprefix(_PEOPLES) if unknown else ""


def _numbers(match: re.Match[str]) -> Iterator[str]:
    article = str(count(match["article"])) + (f"-{count(match['more'])}" if match["more"] else "")
    items = re.split("[、和]", (match["items"] or "").strip("（）()"))
    for item in items:
        parts = [count(part or "") for part in (match["paragraph"], item, match["point"])]
        while parts and not parts[-1]:
            parts.pop()
        number = ".".join([article, *map(str, parts)])
        if re.fullmatch(_NUMBER, number):
            yield number


def _line(name: str, text: str) -> Iterator[Missing]:
    if not text.strip() or not text.isprintable():
        yield Missing(f"answers.{name}", "required")
    elif len(text) > LONGEST_NAME:
        yield Missing(f"answers.{name}", "too-long")
