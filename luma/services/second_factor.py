"""The second factor: codes of an app (TOTP, RFC 6238), and recovery codes for when it is gone."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

import pyotp
from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, RuleBroken
from luma.models.base import ALPHABET
from luma.models.course import Course
from luma.models.second_factor import RecoveryCode, SecondFactor
from luma.models.user import AttemptKind
from luma.services import attempts, clock, notices, policies, sealing, sessions
from luma.services.policies import Actor
from luma.settings import settings
from luma.values import CourseStatus

STEP = 30
RECOVERY_CODES = 10
RECOVERY_SIGNS = 16
"""79 random bits: nobody finds one by trying, not even with the table of hashes."""

WRONG = "That code is not right. Type the one that your app shows now."
WRONG_RECOVERY = "That recovery code is not right, or it has been used."
OFF = "Two-step sign-in is off."


@dataclass(frozen=True, slots=True)
class State:
    is_on: bool
    codes_left: int
    is_wanted: bool
    """On whom others depend: who sells courses, and who runs the school."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What an app is told, once: by a picture of `uri`, or by typing `secret`."""

    uri: str
    secret: str


def state(session: Session, actor: Actor) -> State:
    on = is_on(session, actor.id)
    return State(on, _codes_left(session, actor.id) if on else 0, is_wanted(session, actor))


def before_change(session: Session, actor: Actor) -> State:
    """The same, asked at the door of whoever comes to change something."""
    policies.ensure_fresh(actor)
    return state(session, actor)


def is_on(session: Session, user_id: int) -> bool:
    on = exists().where(SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None))
    return bool(session.scalar(select(on)))


def is_wanted(session: Session, actor: Actor) -> bool:
    if is_on(session, actor.id):
        return False
    sells = exists().where(
        Course.instructor_id == actor.id,
        Course.status == CourseStatus.PUBLISHED,
        Course.price_minor > 0,
    )
    return actor.is_admin or bool(session.scalar(select(sells)))


def begin(session: Session, actor: Actor) -> Draft:
    """A new secret, which counts for nothing before `confirm`. Raises RuleBroken when one is on.

    Drawn anew each time it is shown, so that what was seen before is worth nothing.
    """
    policies.ensure_fresh(actor)
    secret = pyotp.random_base32()
    drawn = {"sealed": sealing.seal(secret), "begun_at": clock.now()}
    new = insert(SecondFactor).values(user_id=actor.id, last_step=0, **drawn)
    written = session.scalar(
        new.on_conflict_do_update(
            index_elements=[SecondFactor.user_id],
            set_=drawn,
            where=SecondFactor.confirmed_at.is_(None),
        ).returning(SecondFactor.id)
    )
    if written is None:
        raise RuleBroken("Two-step sign-in is on already. Turn it off before you set it up anew.")
    return _draft(actor, secret)


def begun(session: Session, actor: Actor) -> Draft:
    """The same secret once more, after a code that was not right."""
    policies.ensure_fresh(actor)
    sealed = session.scalar(
        select(SecondFactor.sealed).where(
            SecondFactor.user_id == actor.id, SecondFactor.confirmed_at.is_(None)
        )
    )
    secret = sealing.opened(sealed) if sealed else None
    return _draft(actor, secret) if secret else begin(session, actor)


def count_try(session: Session, actor: Actor) -> None:
    """To be committed before a code is looked at. Raises TooMany."""
    attempts.count(session, AttemptKind.SECOND_FACTOR, str(actor.id))


def confirm(session: Session, actor: Actor, code: str) -> tuple[list[str], list[str]]:
    """Turn it on. Returns the recovery codes, and the keys of the sessions that ended.

    Every other session was opened without a code, so it ends. From here on, all have had one.
    """
    policies.ensure_fresh(actor)
    factor = _locked(session, actor.id)
    if factor is None or factor.confirmed_at is not None:
        raise RuleBroken("Begin the set-up again.")
    _take(factor, code)
    factor.confirmed_at = clock.now()
    attempts.forgive(session, AttemptKind.SECOND_FACTOR, str(actor.id))
    notices.second_factor_on(session, actor.id)
    return _new_codes(session, actor.id), sessions.end_others(session, actor)


def renew_codes(session: Session, actor: Actor) -> list[str]:
    """Ten new recovery codes; the old ones are worth nothing."""
    policies.ensure_fresh(actor)
    if not is_on(session, actor.id):
        raise RuleBroken(OFF)
    notices.recovery_codes_renewed(session, actor.id)
    return _new_codes(session, actor.id)


def turn_off(session: Session, actor: Actor, code: str) -> None:
    """Asks for a code as well: an open browser alone is not enough."""
    policies.ensure_fresh(actor)
    check(session, actor.id, code)
    remove(session, actor.id)
    notices.second_factor_off(session, actor.id)


def remove(session: Session, user_id: int) -> None:
    session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def check(session: Session, user_id: int, typed: str) -> None:
    """Use up a code of the app or a recovery code. Raises NotAllowed, RuleBroken when it is off.

    Of two browsers with the same code one gets in: the row is locked, a code is taken once.
    """
    factor = _locked(session, user_id)
    if factor is None or factor.confirmed_at is None:
        raise RuleBroken(OFF)
    plain = _plain(typed)
    if len(plain) == RECOVERY_SIGNS:
        _use_recovery_code(session, user_id, plain)
    else:
        _take(factor, plain)
    attempts.forgive(session, AttemptKind.SECOND_FACTOR, str(user_id))


def _draft(actor: Actor, secret: str) -> Draft:
    host = settings().base_url.partition("://")[2]
    issuer = "LUMA" if host.startswith(("127.", "localhost")) else f"LUMA ({host})"
    uri = pyotp.TOTP(secret).provisioning_uri(
        name=actor.email, issuer_name=issuer.replace(":", " ")
    )
    return Draft(uri, secret)


def _locked(session: Session, user_id: int) -> SecondFactor | None:
    return session.scalar(
        select(SecondFactor)
        .where(SecondFactor.user_id == user_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _take(factor: SecondFactor, typed: str) -> None:
    """A code of this half minute, of the one before or after, and newer than the last one taken."""
    secret = sealing.opened(factor.sealed)
    now = int(clock.now().timestamp()) // STEP
    code = _plain(typed)
    for step in (now - 1, now, now + 1) if secret else ():
        known = pyotp.TOTP(secret or "").generate_otp(step)
        if step > factor.last_step and hmac.compare_digest(known.encode(), code.encode()):
            factor.last_step = step
            return
    raise NotAllowed(WRONG)


def _new_codes(session: Session, user_id: int) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [_drawn() for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user_id, code_hash=_hash(code)) for code in codes)
    session.flush()
    return ["-".join(re.findall("....", code)) for code in codes]


def _use_recovery_code(session: Session, user_id: int, code: str) -> None:
    used = session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_hash == _hash(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=clock.now())
        .returning(RecoveryCode.id)
    )
    if used is None:
        raise NotAllowed(WRONG_RECOVERY)
    notices.recovery_code_used(session, user_id, _codes_left(session, user_id))


def _codes_left(session: Session, user_id: int) -> int:
    left = select(func.count()).where(
        RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    )
    return session.scalar(left) or 0


def _drawn() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_SIGNS))


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def _plain(typed: str) -> str:
    """Without the spaces and dashes that people put in between."""
    return re.sub(r"[\s-]", "", typed[:100]).lower().encode("ascii", "replace").decode()
