"""What every test may ask for."""

import pytest

from tests import database
from tests.database import _connection, _own_settings, databases, fresh_database, session

__all__ = ["_connection", "_own_settings", "databases", "fresh_database", "session"]


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        database.clean_up()
