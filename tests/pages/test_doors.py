"""Where somebody is led who has just signed in."""

import pytest
from sqlalchemy.orm import Session

from luma.pages.shop import doors
from luma.values import Role
from tests.factories import actor, make_user


@pytest.mark.parametrize(
    ("roles", "home"),
    [
        ((Role.STUDENT,), "/learn"),
        ((Role.STUDENT, Role.INSTRUCTOR), "/studio"),
        ((Role.STUDENT, Role.INSTRUCTOR, Role.ADMIN), "/admin"),
    ],
)
def test_everybody_begins_where_their_work_is(
    session: Session, roles: tuple[Role, ...], home: str
) -> None:
    assert doors.home(actor(make_user(session, roles=roles))) == home
