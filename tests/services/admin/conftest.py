"""An admin who has just signed in."""

import pytest
from sqlalchemy.orm import Session

from luma.services.policies import Actor
from luma.values import Role
from tests.factories import fresh, make_user


@pytest.fixture
def admin(session: Session) -> Actor:
    return fresh(make_user(session, "Ada Kim", email="ada@example.org", roles=(Role.ADMIN,)))
