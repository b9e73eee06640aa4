"""Words everyone speaks: Money, CourseStatus, Role."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    STUDENT = "student"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"


class CourseStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"


class LessonStatus(StrEnum):
    DRAFT = "draft"
    LIVE = "live"


class OrderStatus(StrEnum):
    """Derived from the facts of payment; see services/access.py."""

    OPEN = "open"
    """The buyer may still pay."""
    PENDING = "pending"
    """The buyer has paid by a method that takes days to confirm."""
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    NEEDS_REVIEW = "needs_review"
    """Money arrived that does not match the order: nothing is granted, an admin looks."""


class AttemptStatus(StrEnum):
    """One visit to the gateway's checkout. It only ever moves down this list."""

    OPEN = "open"
    AWAITING = "awaiting"
    EXPIRED = "expired"
    FAILED = "failed"


class EnrolmentSource(StrEnum):
    FREE = "free"
    PURCHASE = "purchase"


class Subject(StrEnum):
    PROGRAMMING = "programming"
    MATHEMATICS = "mathematics"
    ARTIFICIAL_INTELLIGENCE = "ai"
    DESIGN = "design"
    BUSINESS = "business"
    LANGUAGES = "languages"
    MUSIC = "music"
    CRAFT = "craft"
    OTHER = "other"

    @property
    def words(self) -> str:
        return (
            "Artificial intelligence"
            if self is Subject.ARTIFICIAL_INTELLIGENCE
            else self.capitalize()
        )


class EventStatus(StrEnum):
    NEW = "new"
    DONE = "done"
    PARKED = "parked"
    """Waits for something that has not arrived yet; tried again."""
    DEAD = "dead"
    """Given up after a day; an admin looks."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the currency's smallest unit, as Stripe counts it.

    Money(4900, "usd") is $49.00 and Money(4900, "jpy") is ¥4,900.
    """

    minor: int
    currency: str
