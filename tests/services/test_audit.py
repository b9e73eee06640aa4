"""The audit log: written with the act, never changed, and without secrets."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from luma import db
from luma.models.audit import AuditEntry
from luma.services import audit
from tests.factories import actor, make_user


def test_an_entry_says_who_did_what_and_how_it_was(session: Session) -> None:
    admin = make_user(session)

    audit.note(session, actor(admin), "user.disable", "user 7", {"disabled": False}, {"why": "x"})
    session.flush()

    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.actor_id, entry.act, entry.thing) == (admin.id, "user.disable", "user 7")
    assert (entry.before, entry.after) == ({"disabled": False}, {"why": "x"})


def test_the_command_line_is_no_person(session: Session) -> None:
    audit.note(session, None, "user.grant_role", "user 7")
    session.flush()

    assert session.scalars(select(AuditEntry.actor_id)).one() is None


def test_an_act_that_fails_leaves_no_entry(session: Session) -> None:
    def fail() -> None:
        with db.unit_of_work() as inner:
            audit.note(inner, None, "user.disable", "user 7")
            inner.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert session.scalars(select(AuditEntry)).all() == []


@pytest.mark.parametrize(
    "change",
    ["UPDATE audit_log SET act = 'user.enable'", "DELETE FROM audit_log", "TRUNCATE audit_log"],
)
def test_the_database_keeps_what_is_written(session: Session, change: str) -> None:
    audit.note(session, None, "user.disable", "user 7")
    session.flush()

    with pytest.raises(DBAPIError, match="written once"):
        session.execute(text(change))


@pytest.mark.parametrize(
    "facts",
    [
        {"password_hash": "$argon2id$"},
        {"inner": {"Token": "x"}},
        {"list": [{"api_key": "x"}]},
        {"card_last4": "4242"},
        {"totp_secret": "x"},
    ],
)
def test_what_sounds_like_a_secret_is_refused(session: Session, facts: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="secret"):
        audit.note(session, None, "user.disable", "user 7", facts)
    with pytest.raises(ValueError, match="secret"):
        audit.note(session, None, "user.disable", "user 7", None, facts)


@pytest.mark.parametrize("act", ["", "Disable user", "user", "user.disable!", "a.b.c"])
def test_an_act_is_a_subject_and_a_verb(session: Session, act: str) -> None:
    with pytest.raises(ValueError, match="written like"):
        audit.note(session, None, act, "user 7")


def test_an_entry_is_short(session: Session) -> None:
    with pytest.raises(ValueError, match="whole documents"):
        audit.note(session, None, "course.hide", "course x", {"text": "x" * 30_000})
