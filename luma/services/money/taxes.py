"""Whether tax is counted, as what, and inside the price or on top of it."""

from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.order import Order
from luma.settings import settings

WORDS = {"inclusive": "incl. VAT", "exclusive": "plus tax"}


def code(course: Course) -> str:
    """What a course is to a tax office; "" where no tax is counted."""
    return (course.tax_code or settings().tax_code) if settings().stripe_tax else ""


def behavior(course: Course) -> str:
    """inclusive or exclusive; "" where no tax is counted."""
    return (course.tax_behavior or settings().tax_behavior) if settings().stripe_tax else ""


def fits(order: Order, course: Course) -> bool:
    """Whether an open order still asks what the course costs today, with its tax."""
    return order.price == course.price and (order.tax_behavior or "") == behavior(course)


def fix(course: Course) -> None:
    """At its first publication: what buyers were told once stays, whatever the school does."""
    course.tax_behavior = course.tax_behavior or behavior(course) or None


def beside_price(session: Session, course_id: int) -> str:
    """What stands beside the price of a course; "" where no tax is counted."""
    if not settings().stripe_tax:
        return ""
    course = session.get_one(Course, course_id)
    return "" if course.price.is_zero else WORDS[behavior(course)]
