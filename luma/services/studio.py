"""An instructor's courses: begin one, describe it, price it, put it on sale, take it away."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma import currencies
from luma.errors import NotFound, RuleBroken
from luma.models.course import Course
from luma.services import clock, markdown, policies, queue, search, slugs, texts
from luma.services.authors import GONE_COURSE, own_course, plain_id
from luma.services.course_list import has_students, picture_id
from luma.services.money import orders, taxes
from luma.services.outline import live_lessons
from luma.services.policies import Actor
from luma.services.verification import BEFORE_SELLING, is_verified
from luma.settings import settings
from luma.values import CourseStatus, Money, Subject

LONGEST_TITLE = 120
LONGEST_SUMMARY = 200
LONGEST_DESCRIPTION = 20_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """A course as its form shows it."""

    id: str
    slug: str
    title: str
    summary: str
    description: str
    description_html: str
    subject: Subject
    price: Money
    cover: str | None
    status: CourseStatus
    revision: int
    updated_at: datetime
    has_students: bool
    hidden_reason: str | None
    """Why an admin took it off sale; None unless one did."""


@dataclass(frozen=True, slots=True)
class Saved:
    """`refused` says for a field why it was left as it was; the others are saved."""

    sheet: Sheet
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Clash:
    """Somebody changed the course meanwhile: nothing was written, this is what is there."""

    theirs: Sheet


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a course needs before it goes on sale. `field` is where it is mended."""

    words: str
    field: str
    is_done: bool


def create(session: Session, actor: Actor, title: str) -> str:
    """Begin a free draft. Returns its lasting id."""
    policies.ensure_teaches(actor)
    name = texts.line(title, "Course name", LONGEST_TITLE)
    now = clock.now()
    course = Course(
        slug=slugs.unused(session, name),
        title=name,
        price=Money(0, settings().currency),
        instructor_id=actor.id,
        created_at=now,
        updated_at=now,
    )
    session.add(course)
    session.flush()
    search.refresh(session, course)
    return course.public_id


def sheet(session: Session, actor: Actor, course: str) -> Sheet:
    return _sheet(session, own_course(session, actor, course))


def update(
    session: Session, actor: Actor, course: str, revision: int, changes: Mapping[str, object]
) -> Saved | Clash:
    """Write what can be written of: title, summary, description, subject, price, currency.

    `revision` is the one the changes were made on. The same values twice do no harm.
    """
    own = own_course(session, actor, course, lock=True)
    if own.revision != revision:
        return Clash(_sheet(session, own))
    before, old_price = _described(own), own.price
    refused = _write(own, changes)
    if not _may_sell(session, own, old_price):
        own.price = old_price
        refused |= dict.fromkeys(changes.keys() & {"price", "currency"}, BEFORE_SELLING)
    if _described(own) != before:
        if "title" in changes and own.published_at is None:
            own.slug = slugs.unused(session, own.title, own.id)
        own.revision += 1
        own.updated_at = clock.now()
        search.refresh(session, own)
        tell_gateway(session, own)
        session.flush()
    return Saved(_sheet(session, own), refused)


def checklist(session: Session, actor: Actor, course: str) -> tuple[Check, ...]:
    """What must be done before the course goes on sale, what is missing first."""
    return _checklist(session, own_course(session, actor, course))


def publish(session: Session, actor: Actor, course: str) -> None:
    """Raises RuleBroken while the checklist has something open."""
    own = own_course(session, actor, course, lock=True)
    own.ensure_shown()
    missing = [check for check in _checklist(session, own) if not check.is_done]
    if missing:
        raise RuleBroken(
            f"Before you publish: {missing[0].words[0].lower()}{missing[0].words[1:]}."
        )
    taxes.fix(own)
    own.publish(clock.now())
    tell_gateway(session, own)


def unpublish(session: Session, actor: Actor, course: str) -> None:
    """Take it off the shelf. Students keep what they have."""
    own = own_course(session, actor, course, lock=True)
    own.unpublish(clock.now())
    tell_gateway(session, own)


def delete(session: Session, actor: Actor, course: str) -> None:
    """Raises RuleBroken for a course that is on sale, has students or may just get one."""
    own = own_course(session, actor, course, lock=True)
    if has_students(session, own):
        raise RuleBroken("This course has students. Unpublish it instead; they keep it.")
    if orders.is_bought_now(session, own.id):
        raise RuleBroken("Somebody is paying for this course. Delete it when that is over.")
    own.delete(clock.now())


def deleted_title(session: Session, actor: Actor, course: str) -> str:
    """What a deleted course of one's own was called. Raises NotFound."""
    return _own_deleted(session, actor, course).title


def restore(session: Session, actor: Actor, course: str) -> None:
    """Undo `delete`."""
    _own_deleted(session, actor, course).deleted_at = None


def _own_deleted(session: Session, actor: Actor, public_id: str) -> Course:
    policies.ensure_teaches(actor)
    deleted = session.scalar(
        select(Course).where(
            Course.public_id == plain_id(public_id, GONE_COURSE),
            Course.instructor_id == actor.id,
            Course.deleted_at.is_not(None),
        )
    )
    if deleted is None:
        raise NotFound(GONE_COURSE)
    return deleted


def _write(course: Course, changes: Mapping[str, object]) -> dict[str, str]:
    refused = {name: "There is no such field." for name in changes if name not in FIELDS}
    for name, write in WRITERS.items():
        if name in changes:
            try:
                write(course, changes[name])
            except RuleBroken as refusal:
                refused[name] = str(refusal)
    if "price" in changes or "currency" in changes:
        _write_price(course, changes, refused)
    return refused


def _described(course: Course) -> tuple[object, ...]:
    return course.title, course.summary, course.description, course.subject, course.price


def _title(course: Course, said: object) -> None:
    course.title = texts.line(said, "Title", LONGEST_TITLE)


def _summary(course: Course, said: object) -> None:
    course.summary = texts.line(said, "Short description", LONGEST_SUMMARY, required=False)


def _description(course: Course, said: object) -> None:
    course.description = texts.body(said, "Description", LONGEST_DESCRIPTION)


def _subject(course: Course, said: object) -> None:
    if said not in list(Subject):
        raise RuleBroken("Choose a subject from the list.")
    course.subject = Subject(str(said))


def _write_price(course: Course, changes: Mapping[str, object], refused: dict[str, str]) -> None:
    """An amount means nothing without its currency, so the two are taken or refused together."""
    try:
        currency = texts.line(changes.get("currency", course.price.currency), "Currency", 3)
        amount = texts.line(changes.get("price", course.price.decimal()), "Price", 20)
        course.price = price_of(amount, currency)
    except RuleBroken as refusal:
        refused |= dict.fromkeys(changes.keys() & {"price", "currency"}, str(refusal))


def price_of(amount: str, currency: str) -> Money:
    """What a course may cost: nothing, or something that can be charged. Raises RuleBroken."""
    currencies.ensure_known(currency)
    price = Money.parse(amount, currency)
    if not price.is_zero:
        price.ensure_chargeable()
    return price


WRITERS: dict[str, Callable[[Course, object], None]] = {
    "title": _title,
    "summary": _summary,
    "description": _description,
    "subject": _subject,
}
FIELDS = frozenset({*WRITERS, "price", "currency"})


def _may_sell(session: Session, course: Course, old_price: Money) -> bool:
    """What is given away gets a price only from somebody whom mail is known to reach."""
    begins = course.status is CourseStatus.PUBLISHED and old_price.is_zero
    if not begins or course.price.is_zero:
        return True
    return is_verified(session, course.instructor_id)


def tell_gateway(session: Session, course: Course) -> None:
    """Products, prices and open checkouts there follow, once this is committed."""
    if course.published_at is not None:
        once = f"catalogue.sync:{course.id}"
        queue.defer(session, "catalogue.sync", lock=once, once=once, course_id=course.id)


def _checklist(session: Session, course: Course) -> tuple[Check, ...]:
    checks = [
        Check("Give the course a title", "title", bool(course.title)),
        Check("Say in one sentence what it is about", "summary", bool(course.summary)),
        Check("Describe what students will learn", "description", bool(course.description)),
        Check("Set a price, or 0 for a free course", "price", _is_sellable(course.price)),
        Check("Make one lesson live", "lesson", live_lessons(session, course) > 0),
    ]
    if not course.price.is_zero and not is_verified(session, course.instructor_id):
        checks.append(Check("Confirm your e-mail address", "address", is_done=False))
    return tuple(sorted(checks, key=lambda check: check.is_done))


def _is_sellable(price: Money) -> bool:
    try:
        price_of(price.decimal(), price.currency)
    except RuleBroken:
        return False
    return True


def _sheet(session: Session, course: Course) -> Sheet:
    return Sheet(
        id=course.public_id,
        slug=course.slug,
        title=course.title,
        summary=course.summary,
        description=course.description,
        description_html=markdown.render(course.description),
        subject=course.subject,
        price=course.price,
        cover=picture_id(session, course.cover_id),
        status=course.status,
        revision=course.revision,
        updated_at=course.updated_at,
        has_students=has_students(session, course),
        hidden_reason=course.hidden_reason,
    )
