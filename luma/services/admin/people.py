"""The people of a school as an admin sees them: found, given roles, kept out, signed out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, func, or_, select
from sqlalchemy.orm import Session, selectinload

from luma.errors import NotAllowed, NotFound, RuleBroken
from luma.models.course import Course
from luma.models.progress import Enrolment
from luma.models.user import SignedIn, User, UserRole
from luma.services import accounts, addresses, audit, clock, policies, texts
from luma.services.admin import courses
from luma.services.policies import Actor
from luma.values import Role

LONGEST_SEARCH = 100
LONGEST_REASON = 200
GONE = "There is no such person any more."
LAST_ADMIN = "This is the last admin who can sign in. Make somebody else an admin first."

GIVEN_BY_ADMINS = (Role.INSTRUCTOR, Role.ADMIN)
"""Everybody is a student."""


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str
    email: str
    roles: frozenset[Role]
    joined_at: datetime
    disabled_at: datetime | None
    verified_at: datetime | None
    seen_at: datetime | None
    browsers: int
    """In how many they are signed in now."""
    learns: int
    teaches: int


@dataclass(frozen=True, slots=True)
class People:
    found: tuple[Person, ...]
    has_more: bool


def found(session: Session, actor: Actor, words: object, most: int) -> People:
    """Whose name or address has these words, the newest first."""
    policies.ensure_admin(actor)
    asked = texts.line(words, "Search", LONGEST_SEARCH, required=False)
    rows = session.execute(
        select(User.id, User.name, User.email, _roles(), User.created_at, User.disabled_at)
        .add_columns(User.email_verified_at, _seen(), _browsers(), _learns(), _teaches())
        .where(*_matches(asked), User.rehearses_for_id.is_(None))
        .order_by(User.id.desc())
        .limit(most + 1)
    ).all()
    people = tuple(
        Person(number, name, email, frozenset(map(Role, words or ())), *rest)
        for number, name, email, words, *rest in rows[:most]
    )
    return People(people, len(rows) > most)


def grant_role(session: Session, actor: Actor, person: object, role: object) -> Sequence[str]:
    """Returns the keys of the sessions that ended: new rights begin with a new sign-in."""
    _ensure_may_decide(actor)
    user, given = _held(session, person), _role(role)
    before = {entry.role for entry in user.roles}
    if given in before:
        return ()
    user.roles.append(UserRole(role=given))
    _note_roles(session, actor, user, before)
    return accounts.end_sessions(session, user.id)


def take_role(session: Session, actor: Actor, person: object, role: object) -> Sequence[str]:
    """Returns the keys of the sessions that ended. Raises RuleBroken for the last admin's role."""
    _ensure_may_decide(actor)
    taken = _role(role)
    others = _other_admins(session, actor, person)
    user = _held(session, person)
    if taken is Role.ADMIN and not others:
        raise RuleBroken(LAST_ADMIN)
    before = {entry.role for entry in user.roles}
    if taken not in before:
        return ()
    user.roles = [entry for entry in user.roles if entry.role is not taken]
    _note_roles(session, actor, user, before)
    return accounts.end_sessions(session, user.id)


def disable(session: Session, actor: Actor, person: object, reason: object) -> Sequence[str]:
    """Keep somebody out and what they teach off sale. Who bought keeps it. Returns ended keys."""
    _ensure_may_decide(actor)
    why = texts.line(reason, "Reason", LONGEST_REASON)
    others = _other_admins(session, actor, person)
    user = _held(session, person)
    if user.id == actor.id:
        raise RuleBroken("You cannot disable your own account.")
    if not others:
        raise RuleBroken(LAST_ADMIN)
    if user.disabled_at is not None:
        return ()
    user.disable(clock.now())
    change = {"disabled": True, "reason": why}
    audit.note(session, actor, "user.disable", _thing(user), {"disabled": False}, change)
    courses.hide_all_of(session, actor, user.id)
    return accounts.end_sessions(session, user.id)


def enable(session: Session, actor: Actor, person: object) -> None:
    """Let somebody in again, and what they teach be sold. Twice changes nothing."""
    _ensure_may_decide(actor)
    user = _held(session, person)
    if user.disabled_at is None:
        return
    user.enable()
    audit.note(session, actor, "user.enable", _thing(user), {"disabled": True}, {"disabled": False})
    courses.show_all_of(session, actor, user.id)


def sign_out(session: Session, actor: Actor, person: object) -> Sequence[str]:
    """End all their sessions. Returns the keys, so that open pages end too."""
    policies.ensure_admin(actor)
    user = _held(session, person)
    ended = accounts.end_sessions(session, user.id)
    if ended:
        audit.note(session, actor, "user.sign_out", _thing(user), {"sessions": len(ended)})
    return ended


def verify_again(session: Session, actor: Actor, person: object) -> None:
    """Write to them once more to confirm their address. Raises RuleBroken, TooMany."""
    addresses.verify_again(session, actor, _number(person))


def ensure_not_last(session: Session, actor: Actor) -> None:
    """Before an admin leaves. Raises RuleBroken for the last one who can sign in."""
    if not _other_admins(session, actor, actor.id):
        raise RuleBroken(LAST_ADMIN)


def _ensure_may_decide(actor: Actor) -> None:
    policies.ensure_admin(actor)
    policies.ensure_fresh(actor)


def _held(session: Session, person: object) -> User:
    """Locked, so that two admins who press at once follow one another."""
    user = session.scalar(
        select(User)
        .where(User.id == _number(person))
        .options(selectinload(User.roles))
        .with_for_update(of=User)
        .execution_options(populate_existing=True)
    )
    if user is None:
        raise NotFound(GONE)
    return user


def _other_admins(session: Session, actor: Actor, person: object) -> set[int]:
    """Who can sign in as an admin beside this person. All are locked, always before others.

    So of two admins who take each other's role at once, the second finds theirs taken.
    """
    admins = set(
        session.scalars(
            select(User.id)
            .join(UserRole, UserRole.user_id == User.id)
            .where(UserRole.role == Role.ADMIN, User.disabled_at.is_(None))
            .order_by(User.id)
            .with_for_update()
        )
    )
    if actor.id not in admins:
        raise NotAllowed("You are not an admin any more.")
    return admins - {_number(person)}


def _number(person: object) -> int:
    try:
        return texts.whole_number(person, "Person", 1, 2**63 - 1)
    except RuleBroken as refusal:
        raise NotFound(GONE) from refusal


def _role(word: object) -> Role:
    role = next((role for role in GIVEN_BY_ADMINS if role == word), None)
    if role is None:
        raise RuleBroken("Choose a role from the list.")
    return role


def _note_roles(session: Session, actor: Actor, user: User, before: set[Role]) -> None:
    after = {entry.role for entry in user.roles}
    act = "user.grant_role" if after > before else "user.take_role"
    audit.note(
        session, actor, act, _thing(user), {"roles": sorted(before)}, {"roles": sorted(after)}
    )


def _thing(user: User) -> str:
    return f"user {user.id}"


def _matches(words: str) -> list[ColumnElement[bool]]:
    if not words:
        return []
    name = func.lower(User.name).contains(words.lower(), autoescape=True)
    return [or_(name, User.email.contains(words.lower(), autoescape=True))]


def _roles() -> ScalarSelect[list[Role]]:
    return (
        select(func.array_agg(UserRole.role)).where(UserRole.user_id == User.id).scalar_subquery()
    )


def _seen() -> ScalarSelect[datetime]:
    return (
        select(func.max(SignedIn.last_seen_at)).where(SignedIn.user_id == User.id).scalar_subquery()
    )


def _browsers() -> ScalarSelect[int]:
    return (
        select(func.count())
        .where(
            SignedIn.user_id == User.id,
            SignedIn.revoked_at.is_(None),
            SignedIn.expires_at > clock.now(),
            SignedIn.last_seen_at > clock.now() - accounts.IDLE,
        )
        .scalar_subquery()
    )


def _learns() -> ScalarSelect[int]:
    return (
        select(func.count())
        .where(Enrolment.student_id == User.id, Enrolment.active)
        .scalar_subquery()
    )


def _teaches() -> ScalarSelect[int]:
    return (
        select(func.count())
        .where(Course.instructor_id == User.id, Course.deleted_at.is_(None))
        .scalar_subquery()
    )
