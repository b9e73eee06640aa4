"""Coupons to test with."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.coupon import Coupon, CouponUse
from luma.models.course import Course
from luma.services import clock
from luma.values import Money


def make_coupon(
    session: Session,
    course: Course,
    code: str = "BREAD20",
    *,
    percent: int | None = 20,
    amount: Money | None = None,
    **changes: object,
) -> Coupon:
    """20 % off this course, from now on and without a limit."""
    columns: dict[str, object] = {
        "code": code,
        "instructor_id": course.instructor_id,
        "course_id": course.id,
        "percent": None if amount else percent,
        "amount_minor": amount.minor if amount else None,
        "amount_currency": amount.currency if amount else None,
        "created_by_id": course.instructor_id,
        "created_at": clock.now(),
    }
    coupon = Coupon(**(columns | changes))
    session.add(coupon)
    session.flush()
    return coupon


def uses(session: Session, coupon: Coupon) -> tuple[int, int]:
    """As they are counted, and as orders hold them."""
    session.expire_all()
    held = select(CouponUse.id).where(
        CouponUse.coupon_id == coupon.id, CouponUse.released_at.is_(None)
    )
    return coupon.uses, len(session.scalars(held).all())
