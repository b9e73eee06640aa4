"""What LUMA knows of its jobs beside what the queue keeps itself."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from luma.models.base import Base


class JobFailure(Base):
    """Why a job failed the last time. No foreign key: the queue's tables are its own."""

    __tablename__ = "job_failures"

    job_id: Mapped[int] = mapped_column(unique=True)
    cause: Mapped[str]
    failed_at: Mapped[datetime]
