"""Wallets (证照钱包): what a holder offered to a wallet, and which numbers wallets have signed already."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from approval.models.base import CODE, Base


class WalletOffer(Base):
    """One licence offered to its holder's wallet, once (领取要约); of code, PIN and access token only hashes are kept.

    The code is spent when there is a token, the token when the licence was issued to the wallet.
    """

    __tablename__ = "wallet_offers"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    pin: Mapped[str] = mapped_column(String(64))
    licence_id: Mapped[UUID] = mapped_column(index=True)
    type_code: Mapped[str] = mapped_column(CODE)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    """Who offered it (要约人): the holder, or whoever acts for the holder."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """When the code ends; once that is spent, when the token ends."""
    token: Mapped[str | None] = mapped_column(String(64), unique=True)
    issued_at: Mapped[datetime | None]


class SpentNonce(Base):
    """A number that a wallet's key proof was accepted with (已用随机数), kept for as long as it could come again."""

    __tablename__ = "spent_nonces"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
