"""The audit log as an admin reads it."""

from contextlib import suppress

import pytest
from sqlalchemy.orm import Session

from luma.errors import LumaError, NotAllowed
from luma.services import audit
from luma.services.admin import log
from luma.services.policies import Actor
from tests.bad_values import BAD_JSON
from tests.factories import fresh, make_course, make_instructor, make_user


def acts(session: Session, admin: Actor, who: object = "", what: object = "") -> list[str]:
    return [entry.act for entry in log.entries(session, admin, who, what, 10).entries]


@pytest.fixture
def _story(session: Session, admin: Actor) -> None:
    sam, course = make_user(session, "Sam Rivera"), make_course(session, "Bread")
    audit.note(session, None, "user.grant_role", f"user {admin.id}")
    audit.note(session, admin, "course.hide", f"course {course.public_id}", None, {"why": "x"})
    audit.note(session, fresh(sam), "user.disable", "user 12", {"disabled": False})
    audit.note(session, admin, "user.enable", "user 123")
    session.flush()


def test_only_admins_read_it(session: Session) -> None:
    with pytest.raises(NotAllowed):
        log.entries(session, fresh(make_instructor(session)), "", "", 5)


@pytest.mark.usefixtures("_story")
def test_the_newest_comes_first_with_names(session: Session, admin: Actor) -> None:
    found = log.entries(session, admin, "", "", 3)

    assert [entry.act for entry in found.entries] == ["user.enable", "user.disable", "course.hide"]
    assert [entry.who for entry in found.entries] == ["Ada Kim", "Sam Rivera", "Ada Kim"]
    assert found.entries[2].name == "Bread"
    assert found.has_more


@pytest.mark.usefixtures("_story")
def test_it_is_searched_by_who_and_what(session: Session, admin: Actor) -> None:
    assert acts(session, admin, who="rivera") == ["user.disable"]
    assert acts(session, admin, who="ADA@") == ["user.enable", "course.hide"]
    assert acts(session, admin, who="luma itself") == ["user.grant_role"]
    assert acts(session, admin, what="grant role") == ["user.grant_role"]
    assert acts(session, admin, what="hide") == ["course.hide"]
    assert acts(session, admin, what="user 12") == ["user.disable"]
    assert acts(session, admin, who="ada", what="user") == ["user.enable"]
    assert acts(session, admin, what="%") == []


@pytest.mark.parametrize("words", BAD_JSON)
def test_a_search_is_answered_or_refused(session: Session, admin: Actor, words: object) -> None:
    for who, what in ((words, ""), ("", words)):
        with suppress(LumaError):
            log.entries(session, admin, who, what, 5)


def test_somebody_who_left_is_named_so(session: Session, admin: Actor) -> None:
    gone = Actor(999_999, "Gone", "gone@example.org", admin.roles)
    audit.note(session, gone, "user.enable", "user 999999")
    session.flush()

    (entry,) = log.entries(session, admin, "", "", 5).entries

    assert (entry.who, entry.name) == ("Somebody who left", None)
