import psycopg
import pytest
from sqlalchemy import event, make_url, text

from luma import db


def _ask() -> int:
    with db.unit_of_work() as session:
        return int(session.scalar(text("SELECT pg_backend_pid()")) or 0)


def _end(url: str, backend: int) -> None:
    """As a restart of the database does."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,))


def test_a_connection_that_died_while_it_rested_is_replaced_unnoticed(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "TRUSTED_FOR", 0.0)
    before = _ask()
    _end(fresh_database, before)

    after = _ask()

    assert after != before


def test_a_connection_in_steady_use_is_not_asked_whether_it_lives(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "TRUSTED_FOR", 3600.0)
    _ask()
    pings: list[object] = []
    dialect = db.engine().dialect
    monkeypatch.setattr(dialect, "do_ping", pings.append)

    _ask()

    assert not pings


def test_a_connection_in_use_when_all_are_closed_is_closed_when_it_is_done(
    fresh_database: str,
) -> None:
    with db.unit_of_work() as session:
        raw = session.connection().connection.dbapi_connection
        assert isinstance(raw, psycopg.Connection)
        db.forget()
        assert not raw.closed

    assert raw.closed
    assert _ask()


def test_one_connection_serves_requests_that_follow_each_other(fresh_database: str) -> None:
    opened: list[object] = []
    event.listen(db.engine(), "connect", lambda connection, _entry: opened.append(connection))

    backends = {_ask() for _ in range(4)}

    assert len(backends) == len(opened) == 1


def test_a_glance_opens_no_transaction_and_leaves_none(fresh_database: str) -> None:
    idle = text(
        "SELECT xact_start = query_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
    )

    with db.glance() as session:
        session.execute(text("SELECT 1"))
        alone = session.scalar(idle)
    with db.unit_of_work() as session:
        session.execute(text("SELECT 1"))
        alone_later = session.scalar(idle)

    assert alone is True
    assert alone_later is False
