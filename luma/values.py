"""Words everyone speaks: Money, CourseStatus, Role."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from luma import currencies
from luma.errors import RuleBroken


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
    """Derived from the facts of payment; see services/money/access.py."""

    OPEN = "open"
    """The buyer may still pay."""
    PENDING = "pending"
    """The buyer has paid by a method that takes days to confirm."""
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    NEEDS_REVIEW = "needs_review"
    """Money arrived that does not match the order: nothing is granted, an admin looks."""
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    """The buyer's bank has taken the money back for now; access waits for its decision."""
    CHARGED_BACK = "charged_back"
    """The bank has decided for the buyer."""


class AttemptStatus(StrEnum):
    """One visit to the gateway's checkout. It only ever moves down this list."""

    OPEN = "open"
    AWAITING = "awaiting"
    EXPIRED = "expired"
    FAILED = "failed"


class RefundStatus(StrEnum):
    """Stripe's words. Only a higher rank replaces a lower one: events come in any order."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """Possible even days after it succeeded: the money is back with the seller."""
    CANCELED = "canceled"

    @property
    def rank(self) -> int:
        if self in (RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION):
            return 0
        return 1 if self is RefundStatus.SUCCEEDED else 2

    @property
    def counts(self) -> bool:
        """Whether the money is with the buyer or on its way there."""
        return self.rank < 2


class DisputeStatus(StrEnum):
    """Stripe's words. An inquiry (`warning_…`) has moved no money."""

    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WARNING_CLOSED = "warning_closed"
    PREVENTED = "prevented"
    WON = "won"
    LOST = "lost"

    @property
    def rank(self) -> int:
        return min(list(DisputeStatus).index(self), 4)

    @property
    def suspends(self) -> bool:
        return self in (DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW)

    @property
    def is_open(self) -> bool:
        return self.rank < 4


class EnrolmentSource(StrEnum):
    FREE = "free"
    PURCHASE = "purchase"
    GIFT = "gift"
    MANUAL = "manual"
    """Given by the instructor or an admin, with a reason."""


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


class Drift(StrEnum):
    """What somebody has done at the gateway to a course that is on sale."""

    PRODUCT_ARCHIVED = "product_archived"
    PRODUCT_DELETED = "product_deleted"
    PRICE_ARCHIVED = "price_archived"
    PRICE_CHANGED = "price_changed"

    @property
    def is_of_price(self) -> bool:
        return self in (Drift.PRICE_ARCHIVED, Drift.PRICE_CHANGED)


class EventStatus(StrEnum):
    NEW = "new"
    DONE = "done"
    PARKED = "parked"
    """Waits for something that has not arrived yet; tried again."""
    DEAD = "dead"
    """Given up after a day; an admin looks."""


class LetterStatus(StrEnum):
    WAITING = "waiting"
    """For its turn, or for a mail server that does not answer."""
    SENT = "sent"
    REFUSED = "refused"
    """The mail server said that it will never take it."""
    GIVEN_UP = "given_up"
    """The mail server did not take it for three days."""
    EXPIRED = "expired"
    """Its link ran out before it could be sent."""


class QuestionKind(StrEnum):
    """How a question of a feedback form is answered."""

    SCALE = "scale"
    """From 1 to 5."""
    CHOICE = "choice"
    TEXT = "text"


class ReportReason(StrEnum):
    """Why somebody thinks that a review should not stand there."""

    SPAM = "spam"
    RUDE = "rude"
    OFF_TOPIC = "off_topic"
    PRIVATE = "private"
    OTHER = "other"

    @property
    def words(self) -> str:
        return _REASONS[self]


_REASONS = {
    ReportReason.SPAM: "It is an advertisement",
    ReportReason.RUDE: "It insults somebody",
    ReportReason.OFF_TOPIC: "It is not about this course",
    ReportReason.PRIVATE: "It tells something private",
    ReportReason.OTHER: "Something else",
}


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the currency's smallest unit, as Stripe counts it.

    Money(4900, "usd") is $49.00 and Money(4900, "jpy") is ¥4,900. There are three classes:

    - No decimals (jpy, krw, …): the amount as it is.
    - Two decimals (most). Of these ugx and isk are never charged in fractions: 5 UGX is 500.
    - Three decimals (kwd, bhd, …): charged in steps of ten, so 5.120 KWD is 5120.

    Any whole number may be held, because shares of an amount fall between the steps; what a
    person enters goes through `parse`, which keeps to them. A browser gets `words()` to show
    and `decimal()` to fill a field or a feed with, never a number: `parse` takes it back.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor units are whole numbers, not {self.minor!r}")
        if self.currency not in currencies.CODES:
            raise ValueError(f"unknown currency {self.currency!r}")

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read what a person typed, exactly or not at all. Raises RuleBroken.

        A comma is refused, because it means one thing in Boston and another in Berlin.
        """
        currencies.ensure_known(currency)
        places, step = currencies.places(currency), currencies.step(currency)
        match = _AMOUNT.fullmatch(text.strip())
        if match is None:
            raise RuleBroken(f"Write the amount in digits, like {_plain(49 * 10**places, places)}.")
        whole, fraction = match[1], match[2] or ""
        if len(fraction) > places:
            most = f"at most {places}" if places else "no"
            raise RuleBroken(f"{currency.upper()} amounts have {most} decimals.")
        minor = int(whole + fraction.ljust(places, "0"))
        if minor % step:
            raise RuleBroken(f"{currency.upper()} amounts go in steps of {_plain(step, places)}.")
        return cls(minor, currency)

    @property
    def is_zero(self) -> bool:
        return self.minor == 0

    def ensure_chargeable(self) -> None:
        """Raises RuleBroken when the amount is too small, too large or between the steps.

        Zero is not chargeable: what is free never goes to a gateway.
        """
        least = type(self)(currencies.least(self.currency), self.currency)
        most = type(self)(currencies.most(self.currency), self.currency)
        if self.minor < least.minor:
            raise RuleBroken(f"The smallest price that can be charged is {least.words()}.")
        if self.minor > most.minor:
            raise RuleBroken(f"The highest price that can be charged is {most.words()}.")
        if self.minor % currencies.step(self.currency):
            raise RuleBroken(f"{self.words()} cannot be charged exactly.")

    def split(self, bps: int) -> tuple[Self, Self]:
        """A share in hundredths of a percent, rounded down, and the rest. Nothing is lost."""
        if not 0 <= bps <= 10_000:
            raise ValueError(f"a share is between 0 and 10,000, not {bps}")
        part = self.minor * bps // 10_000
        return type(self)(part, self.currency), type(self)(self.minor - part, self.currency)

    def decimal(self) -> str:
        """Digits and a point, for a form field or another program: "49.50", "4900"."""
        return _plain(self.minor, currencies.places(self.currency))

    def words(self) -> str:
        """For people: "$49", "$49.50", "¥4,900", "CHF 49". Zero is "$0"; a page says "Free"."""
        places = currencies.places(self.currency)
        whole, fraction = divmod(abs(self.minor), 10**places)
        amount = f"{whole:,}.{fraction:0{places}}" if fraction else f"{whole:,}"
        return f"{_minus(self.minor)}{currencies.sign(self.currency)}{amount}"

    def __add__(self, other: "Money") -> Self:
        return type(self)(self.minor + self._alike(other), self.currency)

    def __sub__(self, other: "Money") -> Self:
        return type(self)(self.minor - self._alike(other), self.currency)

    def _alike(self, other: "Money") -> int:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return other.minor


_AMOUNT = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,6}))?", re.ASCII)


def _plain(minor: int, places: int) -> str:
    whole, fraction = divmod(abs(minor), 10**places)
    return f"{_minus(minor)}{whole}.{fraction:0{places}}" if places else f"{_minus(minor)}{whole}"


def _minus(minor: int) -> str:
    return "-" if minor < 0 else ""
