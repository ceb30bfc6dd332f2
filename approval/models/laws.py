"""Laws (法规库): acts, their editions and what each says; rows are added, and none is ever changed or deleted."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from approval.models.base import CODE, Base


class LawAct(Base):
    """An act (法规): its names, who issued it, and under which number."""

    __tablename__ = "law_acts"

    code: Mapped[str] = mapped_column(CODE, primary_key=True)
    short: Mapped[str] = mapped_column(CODE, unique=True)
    zh: Mapped[str]
    en: Mapped[str]
    issuer: Mapped[str]
    document: Mapped[str]
    aliases: Mapped[list[Any]]
    published_at: Mapped[datetime]
    published_by: Mapped[str]


class LawVersion(Base):
    """An edition of an act (法规版本): what came into force on one day; of one day the last published counts.

    `origin` is `shipped` for what came with the product, empty for what an administrator published.
    """

    __tablename__ = "law_versions"
    __table_args__ = (CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="ends_after_it_begins"),)

    act_code: Mapped[str] = mapped_column(ForeignKey("law_acts.code"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    document: Mapped[str]
    origin: Mapped[str] = mapped_column(CODE)
    published_at: Mapped[datetime]
    published_by: Mapped[str]


class LawArticle(Base):
    """The text of an article in an edition (条文); a paraphrase is ours, and the official text decides."""

    __tablename__ = "law_articles"
    __table_args__ = (
        ForeignKeyConstraint(["act_code", "ordinal"], ["law_versions.act_code", "law_versions.ordinal"]),
        CheckConstraint("text <> ''", name="says_something"),
    )

    act_code: Mapped[str] = mapped_column(CODE, primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), primary_key=True)
    text: Mapped[str]
    paraphrase: Mapped[bool]
