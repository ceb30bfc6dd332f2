"""People and departments (人员与部门): who applies, who works where, who is signed in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from approval.models.base import CODE, Base


class Department(Base):
    """A department of the city (部门); `number` is its three digits in case numbers.

    `notice_word` and `notice_pattern` make the numbers of its formal notices (文号): empty means its Chinese name and
    the pattern that all share.
    """

    __tablename__ = "departments"

    code: Mapped[str] = mapped_column(CODE, primary_key=True)
    number: Mapped[str] = mapped_column(CODE, unique=True)
    uscc: Mapped[str] = mapped_column(CODE, unique=True)
    zh: Mapped[str]
    en: Mapped[str]
    notice_word: Mapped[str] = mapped_column(default="")
    notice_pattern: Mapped[str] = mapped_column(default="")


class Organization(Base):
    """An enterprise or other legal person (法人), known by its unified social credit code."""

    __tablename__ = "organizations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(CODE, unique=True)
    uscc: Mapped[str] = mapped_column(CODE, unique=True)
    name: Mapped[str]


class Person(Base):
    """A natural person (自然人): citizen, agent or officer; `code` is the name to sign in with."""

    __tablename__ = "people"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(CODE, unique=True)
    name: Mapped[str]
    id_number: Mapped[str] = mapped_column(CODE, unique=True)
    password_hash: Mapped[str | None]
    disabled_at: Mapped[datetime | None]
    posts: Mapped[list["Post"]] = relationship(lazy="selectin", order_by="Post.department_code")


class Post(Base):
    """A role that a person holds in a department (岗位)."""

    __tablename__ = "posts"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    department_code: Mapped[str] = mapped_column(ForeignKey("departments.code"), primary_key=True)
    role: Mapped[str] = mapped_column(CODE, primary_key=True)


class Client(Base):
    """A department's system that asks over the interface (接入系统); of its key only a hash is kept."""

    __tablename__ = "clients"

    code: Mapped[str] = mapped_column(CODE, primary_key=True)
    department_code: Mapped[str] = mapped_column(ForeignKey("departments.code"))
    name: Mapped[str]
    digest: Mapped[str] = mapped_column(CODE)
    enrolled_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Agency(Base):
    """A person who may act for an organization (代理关系)."""

    __tablename__ = "agencies"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)


class Session(Base):
    """A signed-in browser (会话), kept here so that ending it ends it everywhere.

    Only the SHA-256 of the cookie is stored: a copied database signs nobody in.
    """

    __tablename__ = "sessions"

    token_sha256: Mapped[str] = mapped_column(CODE, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class Identity(Base):
    """Who an authority means by its own stable key for a person (证书身份绑定); a renewed certificate keeps the key.

    Bound by the authority and this key, never by a name: two people may have one name, and one may change theirs.
    """

    __tablename__ = "identities"

    issuer: Mapped[str] = mapped_column(CODE, primary_key=True)
    identifier: Mapped[str] = mapped_column(CODE, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    bound_at: Mapped[datetime]


class Challenge(Base):
    """A number that one browser is to sign once (登录挑战); gone with the first answer, right or wrong."""

    __tablename__ = "challenges"

    nonce_sha256: Mapped[str] = mapped_column(CODE, primary_key=True)
    browser_sha256: Mapped[str] = mapped_column(CODE)
    made_at: Mapped[datetime] = mapped_column(index=True)


class FailedAttempt(Base):
    """Somebody guessed wrong (失败尝试): a password, a licence number; counted to slow guessers down.

    `key` is what is guessed at or the SHA-256 of where it is guessed from.
    """

    __tablename__ = "failed_attempts"
    __table_args__ = (Index("ix_failed_attempts_key", "kind", "key", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(CODE)
    key: Mapped[str] = mapped_column(CODE)
    at: Mapped[datetime]
