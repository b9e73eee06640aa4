"""Codes are not to be guessed: wrong ones are counted by address, and soon none is answered."""

from contextlib import suppress

from sqlalchemy.orm import Session

from luma.errors import TooMany
from luma.models.user import AttemptKind
from luma.services import attempts
from luma.services.money import promotions
from luma.services.money.promotions import Answer


def answer(
    session: Session, course_id: int, buyer_id: int | None, code: str, address: str
) -> Answer:
    """What a page says of a code. One that exists is no guess, even if it is over."""
    try:
        ensure_few(session, address)
    except TooMany as refusal:
        return Answer(promotions.plain(code), refusal=str(refusal))
    found = promotions.answer(session, course_id, buyer_id, code)
    note(session, found.refusal, address)
    return found


def ensure_few(session: Session, address: str) -> None:
    """Raises TooMany once this address has guessed too often: then right codes are none either."""
    attempts.ensure_left(session, AttemptKind.COUPON, address)


def note(session: Session, refusal: str, address: str) -> None:
    """Count a code that was refused because there is none such."""
    if refusal == promotions.UNKNOWN:
        with suppress(TooMany):
            attempts.count(session, AttemptKind.COUPON, address)
