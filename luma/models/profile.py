"""What a person shows of themselves to others."""

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from luma.models.base import Base


class Profile(Base):
    """`slug` is the address of an instructor's page; it stays when the name changes."""

    __tablename__ = "profiles"
    __table_args__ = (
        CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug_plain"),
        CheckConstraint("length(about) <= 10000", name="about_length"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    about: Mapped[str] = mapped_column(default="")
    """Markdown."""
    picture_id: Mapped[int | None] = mapped_column(ForeignKey("images.id", ondelete="SET NULL"))
