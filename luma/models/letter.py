"""Letters: what LUMA writes to people, kept until it is theirs."""

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from luma.errors import RuleBroken
from luma.models.base import Base, one_of
from luma.values import LetterStatus

GIVES_UP_AFTER = timedelta(days=3)


class Letter(Base):
    """`key` names the letter for good, in the queue and in its Message-ID.

    `seed` is what the single-use link in `button_path` is made from while the letter waits: the
    link itself is in no database. `sending_until` is set while somebody talks to the mail server.
    """

    __tablename__ = "letters"
    __table_args__ = (
        one_of("status", LetterStatus),
        CheckConstraint("subject !~ '[\\r\\n]'", name="subject_is_one_line"),
        CheckConstraint("address !~ '[\\r\\n]'", name="address_is_one_line"),
        Index("ix_letters_status", "status", "id"),
    )

    key: Mapped[str] = mapped_column(String(120), unique=True)
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    kind: Mapped[str] = mapped_column(String(40))
    address: Mapped[str] = mapped_column(String(254))
    greeting: Mapped[str] = mapped_column(String(100))
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str]
    button_words: Mapped[str] = mapped_column(String(80), default="")
    button_path: Mapped[str] = mapped_column(String(500), default="")
    seed: Mapped[bytes | None] = mapped_column(LargeBinary)
    good_until: Mapped[datetime | None]
    status: Mapped[LetterStatus] = mapped_column(default=LetterStatus.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime]
    waiting_since: Mapped[datetime]
    sending_until: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]

    def send(self, now: datetime) -> None:
        """The mail server has it. Its link is not ours to make again."""
        self._settle(LetterStatus.SENT, "", now)
        self.seed = None

    def refuse(self, reason: str, now: datetime) -> None:
        """The mail server will never take it."""
        self._settle(LetterStatus.REFUSED, reason, now)

    def fail(self, reason: str, now: datetime) -> None:
        """It did not work this time; after three days of that it is given up."""
        self.attempts += 1
        self.trouble, self.sending_until = reason[:300], None
        if now - self.waiting_since >= GIVES_UP_AFTER:
            self._settle(LetterStatus.GIVEN_UP, reason, now)

    def expire(self, now: datetime) -> None:
        """What it says is true no longer, so nobody needs it."""
        self._settle(LetterStatus.EXPIRED, self.trouble, now)
        self.seed = None

    def try_again(self, now: datetime) -> None:
        """Raises RuleBroken for a letter that has arrived or has nothing to say any more."""
        if self.status is LetterStatus.SENT:
            raise RuleBroken("This letter was sent already.")
        if self.good_until is not None and self.good_until <= now:
            raise RuleBroken("The link in this letter has run out. They can ask for a new one.")
        self.status = LetterStatus.WAITING
        self.waiting_since, self.settled_at = now, None

    def _settle(self, status: LetterStatus, reason: str, now: datetime) -> None:
        self.status = status
        self.trouble = reason[:300]
        self.settled_at, self.sending_until = now, None
