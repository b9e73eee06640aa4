"""The audit log as an admin reads it: the newest first, by who and by what."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from luma.models.audit import AuditEntry
from luma.models.course import Course
from luma.models.user import User
from luma.services import policies, texts
from luma.services.policies import Actor

LONGEST_SEARCH = 100
LUMA_ITSELF = "luma itself"
WHOLE = re.compile(r"[a-z]+ ([0-9]+|[a-z]{3}_[a-z0-9]+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """`who` is None for LUMA itself: a webhook, the command line.

    `name` is what the thing is called, where that is known.
    """

    id: int
    noted_at: datetime
    who: str | None
    act: str
    thing: str
    name: str | None
    before: Mapping[str, object]
    after: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Log:
    entries: tuple[Entry, ...]
    has_more: bool


def entries(session: Session, actor: Actor, who: object, what: object, most: int) -> Log:
    """`who` is part of a name or address; `what` part of an act or a thing."""
    policies.ensure_admin(actor)
    person = texts.line(who, "Who", LONGEST_SEARCH, required=False).lower()
    subject = texts.line(what, "What", LONGEST_SEARCH, required=False).lower()
    rows = session.execute(
        select(AuditEntry, User.name)
        .outerjoin(User, User.id == AuditEntry.actor_id)
        .where(*_by(person), *_about(subject))
        .order_by(AuditEntry.id.desc())
        .limit(most + 1)
    ).all()
    names = _names(session, (entry.thing for entry, _ in rows))
    shown = tuple(_entry(entry, name, names) for entry, name in rows[:most])
    return Log(shown, len(rows) > most)


def _entry(entry: AuditEntry, name: str | None, names: Mapping[str, str]) -> Entry:
    return Entry(
        id=entry.id,
        noted_at=entry.noted_at,
        who=(name or "Somebody who left") if entry.actor_id else None,
        act=entry.act,
        thing=entry.thing,
        name=names.get(entry.thing),
        before=entry.before or {},
        after=entry.after or {},
    )


def _by(who: str) -> list[ColumnElement[bool]]:
    if not who:
        return []
    named = (func.lower(User.name), User.email)
    found = [column.contains(who, autoescape=True) for column in named]
    if LUMA_ITSELF.startswith(who):
        found.append(AuditEntry.actor_id.is_(None))
    return [or_(*found)]


def _about(what: str) -> list[ColumnElement[bool]]:
    """Acts are shown with spaces: "course hide" finds course.hide. A whole thing is that thing."""
    if not what:
        return []
    if WHOLE.fullmatch(what):
        return [AuditEntry.thing == what]
    act = func.translate(AuditEntry.act, "._", "  ").contains(what, autoescape=True)
    thing = AuditEntry.thing.contains(what, autoescape=True)
    return [or_(act, AuditEntry.act.contains(what, autoescape=True), thing)]


def _names(session: Session, things: Iterable[str]) -> dict[str, str]:
    """What users and courses are called now. The log itself keeps no names."""
    kinds: dict[str, set[str]] = {"user": set(), "course": set()}
    for thing in things:
        kind, _, key = thing.partition(" ")
        if kind in kinds:
            kinds[kind].add(key)
    numbers = [int(key) for key in kinds["user"] if key.isdigit() and len(key) < 19]
    people = session.execute(select(User.id, User.name).where(User.id.in_(numbers)))
    courses = session.execute(
        select(Course.public_id, Course.title).where(Course.public_id.in_(kinds["course"]))
    )
    return {f"user {key}": name for key, name in people} | {
        f"course {key}": title for key, title in courses
    }
