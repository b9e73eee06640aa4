"""The audit log: every act that an admin may have to answer for, noted where it happens."""

import json
import re
from collections.abc import Iterator, Mapping

from sqlalchemy.orm import Session

from luma.models.audit import AuditEntry
from luma.services import clock
from luma.services.policies import Actor

Facts = Mapping[str, object]

ACT = re.compile(r"[a-z_]+\.[a-z_]+")
SECRET = re.compile(r"passw|token|secret|hash|cookie|card|otp|recovery|api_?key|credential", re.I)
MOST_BYTES = 20_000


def note(
    session: Session,
    actor: Actor | None,
    act: str,
    thing: str,
    before: Facts | None = None,
    after: Facts | None = None,
) -> None:
    """Write an entry in the caller's transaction: no commit, no entry.

    `act` is subject and verb, such as "course.hide"; `thing` is its kind and id, such as
    "course crs_7kq2m9x4c6t8". No actor means LUMA itself: a webhook, the command line. `before`
    and `after` hold what changed, as JSON. Raises ValueError for what looks like a secret: the
    log is read by people.
    """
    if not ACT.fullmatch(act):
        raise ValueError(f"an act is written like course.hide, not {act!r}")
    for facts in (before, after):
        _ensure_harmless(facts)
    session.add(
        AuditEntry(
            noted_at=clock.now(),
            actor_id=actor.id if actor else None,
            act=act,
            thing=thing,
            before=dict(before) if before is not None else None,
            after=dict(after) if after is not None else None,
        )
    )


def _ensure_harmless(facts: Facts | None) -> None:
    for name in _names(facts):
        if SECRET.search(name):
            raise ValueError(f"{name!r} sounds like a secret, which no log may hold")
    if len(json.dumps(facts)) > MOST_BYTES:
        raise ValueError("an entry holds what changed, not whole documents")


def _names(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from _names(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _names(inner)
