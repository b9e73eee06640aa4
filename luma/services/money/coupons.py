"""An instructor's coupons, and those of the whole school: make one, list them, end one."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma import currencies
from luma.errors import NotFound, RuleBroken
from luma.models.base import ALPHABET
from luma.models.coupon import Coupon
from luma.models.course import Course
from luma.models.profile import Profile
from luma.services import audit, clock, policies, queue, texts
from luma.services.money import promotions
from luma.services.policies import Actor
from luma.settings import settings
from luma.values import CourseStatus, Money

MOST_LISTED = 200
MOST_USES = 1_000_000
LONGEST = timedelta(days=3660)
PERCENT = "percent"
TRIES = 5


@dataclass(frozen=True, slots=True)
class CouponRow:
    public_id: str
    code: str
    words: str
    """ "20 % off"."""
    where: str
    uses: int
    most_uses: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    state: str
    """live, later, expired, used up or ended."""
    link: str
    """Where the code is filled in; "" when there is no such page."""

    @property
    def is_over(self) -> bool:
        return self.state in ("expired", "ended")


@dataclass(frozen=True, slots=True)
class Choice:
    """A course that a coupon may be for."""

    public_id: str
    title: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """Coupons, newest first, and what a new one may be for and in."""

    coupons: tuple[CouponRow, ...]
    courses: tuple[Choice, ...]
    currencies: tuple[str, ...]
    today: date


def mine(session: Session, actor: Actor) -> Shelf:
    policies.ensure_teaches(actor)
    own = Course.instructor_id == actor.id
    return _shelf(session, Coupon.instructor_id == actor.id, own)


def of_school(session: Session, actor: Actor) -> Shelf:
    """Those that are good for every course."""
    policies.ensure_admin(actor)
    shelf = _shelf(session, Coupon.instructor_id.is_(None), Course.id.is_not(None))
    return Shelf(shelf.coupons, (), shelf.currencies, shelf.today)


def create(session: Session, actor: Actor, wish: Mapping[str, object]) -> str:
    """Make a coupon for the actor's courses and return its code. Raises RuleBroken."""
    policies.ensure_teaches(actor)
    course = _course(session, actor, wish.get("course", ""))
    return _make(session, actor, wish, actor.id, course)


def create_for_school(session: Session, actor: Actor, wish: Mapping[str, object]) -> str:
    """The same for every course of the school."""
    policies.ensure_admin(actor)
    code = _make(session, actor, wish, None, None)
    audit.note(session, actor, "coupon.create", f"coupon {code}")
    return code


def end(session: Session, actor: Actor, coupon: str) -> str:
    """End a coupon now and return its code. Who is paying already keeps the price. Twice is
    harmless."""
    found = session.scalar(
        select(Coupon).where(Coupon.public_id == texts.key(coupon)).with_for_update()
    )
    if found is None or not (actor.is_admin or (actor.teaches and found.instructor_id == actor.id)):
        raise NotFound("There is no such coupon among yours.")
    found.end(clock.now())
    if found.instructor_id != actor.id:
        audit.note(session, actor, "coupon.end", f"coupon {found.code}")
    queue.defer(session, "coupons.sync", coupon_id=found.id)
    return found.code


def _make(
    session: Session,
    actor: Actor,
    wish: Mapping[str, object],
    instructor_id: int | None,
    course: Course | None,
) -> str:
    starts_at, ends_at = _span(wish)
    made = Coupon(
        code=_wished_code(wish.get("code", "")),
        instructor_id=instructor_id,
        course_id=course.id if course else None,
        most_uses=_limit(wish.get("limit", "")),
        starts_at=starts_at,
        ends_at=ends_at,
        **_off(wish),
    )
    if course:
        _ensure_sensible(made, course)
    coupon_id, code = _written(session, actor, made)
    queue.defer(session, "coupons.sync", coupon_id=coupon_id)
    return code


def _written(session: Session, actor: Actor, made: Coupon) -> tuple[int, str]:
    """With a code of its own: of two people who choose the same one at once, one is told so."""
    for _ in range(TRIES):
        code = made.code or "".join(secrets.choice(ALPHABET) for _ in range(8)).upper()
        new = insert(Coupon).values(
            code=code,
            instructor_id=made.instructor_id,
            course_id=made.course_id,
            percent=made.percent,
            amount_minor=made.amount_minor,
            amount_currency=made.amount_currency,
            starts_at=made.starts_at,
            ends_at=made.ends_at,
            most_uses=made.most_uses,
            created_by_id=actor.id,
            created_at=clock.now(),
        )
        once = new.on_conflict_do_nothing(index_elements=[Coupon.code])
        coupon_id: int | None = session.scalar(once.returning(Coupon.id))
        if coupon_id is not None:
            return coupon_id, code
        if made.code:
            break
    raise RuleBroken(f"The code {made.code} is taken. Choose another one.")


def _wished_code(value: object) -> str:
    """ "" leaves it to LUMA."""
    typed = texts.line(value, "Code", 200, required=False)
    if typed and not promotions.plain(typed):
        raise RuleBroken("A code has 3 to 40 letters from A to Z, digits and dashes.")
    return promotions.plain(typed)


def _off(wish: Mapping[str, object]) -> dict[str, int | str]:
    unit = texts.line(wish.get("unit", PERCENT), "Unit", 20)
    if unit == PERCENT:
        return {"percent": texts.whole_number(wish.get("off", ""), "The discount in %", 1, 100)}
    amount = Money.parse(texts.line(wish.get("off", ""), "The discount", 40), unit)
    if not 0 < amount.minor <= currencies.most(unit):
        raise RuleBroken("Take off more than nothing, and not more than the dearest price.")
    return {"amount_minor": amount.minor, "amount_currency": unit}


def _limit(value: object) -> int | None:
    typed = texts.line(value, "Limit of uses", 20, required=False)
    return texts.whole_number(typed, "Limit of uses", 1, MOST_USES) if typed else None


def _span(wish: Mapping[str, object]) -> tuple[datetime | None, datetime | None]:
    """From the beginning of the first day to the end of the last one, in UTC."""
    now = clock.now()
    first, last = _day(wish.get("starts", ""), "Starts"), _day(wish.get("ends", ""), "Ends")
    if last and last < now.date():
        raise RuleBroken("The last day is over already. Choose a later one.")
    if first and last and last < first:
        raise RuleBroken("The last day is before the first one.")
    if max(filter(None, (first, last)), default=now.date()) > (now + LONGEST).date():
        raise RuleBroken("Choose a day within the next ten years.")
    return _midnight(first), _midnight(last + timedelta(days=1)) if last else None


def _day(value: object, name: str) -> date | None:
    typed = texts.line(value, name, 40, required=False)
    if not typed:
        return None
    try:
        return datetime.strptime(typed, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise RuleBroken(f"{name} must be a day, like 2026-12-03.") from None


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None


def _ensure_sensible(made: Coupon, course: Course) -> None:
    """Raises RuleBroken for what could never be used at the course's price of today."""
    if course.price.is_zero:
        raise RuleBroken(f"“{course.title}” is free already.")
    left = course.price - made.off(course.price)
    if left == course.price:
        raise RuleBroken(f"That takes nothing off {course.price.words()}.")
    promotions.ensure_leaves_enough(left)


def _course(session: Session, actor: Actor, value: object) -> Course | None:
    """None for all of the actor's courses."""
    if value == "":
        return None
    course = session.scalar(select(Course).where(Course.public_id == texts.key(value)))
    if course is None:
        raise NotFound("There is no such course among yours.")
    policies.ensure_can_edit(actor, course)
    return course


def _shelf(session: Session, which: ColumnElement[bool], own: ColumnElement[bool]) -> Shelf:
    rows = session.execute(
        select(Coupon, Course.title, Course.slug, Course.status, Profile.slug)
        .outerjoin(Course, Course.id == Coupon.course_id)
        .outerjoin(Profile, Profile.user_id == Coupon.instructor_id)
        .where(which)
        .order_by(Coupon.id.desc())
        .limit(MOST_LISTED)
    )
    now = clock.now()
    coupons = tuple(
        _row(coupon, title, _link(coupon.code, slug, status, of), now)
        for coupon, title, slug, status, of in rows
    )
    there = own & Course.deleted_at.is_(None)
    sold_in = select(Course.price_currency).where(there).distinct().order_by(Course.price_currency)
    listed = select(Course.public_id, Course.title).where(there, Course.price_minor > 0)
    courses = session.execute(listed.order_by(Course.title, Course.id).limit(500))
    return Shelf(
        coupons,
        tuple(Choice(public_id, title) for public_id, title in courses),
        tuple(session.scalars(sold_in)) or ("usd",),
        now.date(),
    )


def _row(coupon: Coupon, title: str | None, link: str, now: datetime) -> CouponRow:
    everywhere = "All your courses" if coupon.instructor_id else "Every course"
    return CouponRow(
        public_id=coupon.public_id,
        code=coupon.code,
        words=coupon.words,
        where=title or everywhere,
        uses=coupon.uses,
        most_uses=coupon.most_uses,
        starts_at=coupon.starts_at,
        ends_at=coupon.ends_at,
        state=_state(coupon, now),
        link=link,
    )


def _link(code: str, slug: str | None, status: CourseStatus | None, of: str | None) -> str:
    if slug is not None:
        path = f"/courses/{slug}" if status is CourseStatus.PUBLISHED else ""
    else:
        path = f"/instructors/{of}" if of else ""
    return f"{settings().base_url}{path}?code={code}" if path else ""


def _state(coupon: Coupon, now: datetime) -> str:
    if coupon.ended_at:
        return "ended"
    if coupon.ends_at and coupon.ends_at <= now:
        return "expired"
    if coupon.most_uses is not None and coupon.uses >= coupon.most_uses:
        return "used up"
    return "later" if coupon.starts_at and coupon.starts_at > now else "live"
