"""What LUMA writes to people. Each letter is a job of its own, queued with what caused it."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma import db
from luma.models.course import Course
from luma.models.progress import Enrolment
from luma.models.user import User
from luma.services import orders
from luma.services.gateways import mail
from luma.settings import settings


@dataclass(frozen=True, slots=True)
class Letter:
    to: str
    subject: str
    text: str


def course_open(enrolment_id: int) -> None:
    """Tell a buyer that the course is open. Waits for the network."""
    with db.unit_of_work() as session:
        letter = _course_open(session, enrolment_id)
    if letter:
        mail.send(letter.to, letter.subject, letter.text, f"course-open-{enrolment_id}")


def _course_open(session: Session, enrolment_id: int) -> Letter | None:
    """None when the access has ended before the letter was written."""
    found = session.execute(
        select(User.email, User.name, Course)
        .join(Enrolment, Enrolment.student_id == User.id)
        .join(Course, Course.id == Enrolment.course_id)
        .where(Enrolment.id == enrolment_id, Enrolment.active)
    ).one_or_none()
    if found is None:
        return None
    email, name, course = found
    start = f"{settings().base_url}{orders.start_address(session, course)}"
    text = (
        f"Hello {name},\n\nthank you for your purchase. “{course.title}” is yours now:\n\n"
        f"{start}\n\nYour orders: {settings().base_url}/orders\n"
    )
    return Letter(email, f"{course.title} is open", text)
