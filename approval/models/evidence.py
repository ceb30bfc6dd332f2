"""Evidence (取证材料): photographs and papers that officers put to a task, such as those of a site visit."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from approval.models.base import CODE, Base
from approval.models.tasks import Task


class Evidence(Base):
    """One file that an officer took for a task (取证材料); its bytes live in storage, and stay."""

    __tablename__ = "evidence"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey(Task.id), index=True)
    filename: Mapped[str]
    media_type: Mapped[str] = mapped_column(CODE)
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(CODE, index=True)
    attached_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    attached_at: Mapped[datetime]
