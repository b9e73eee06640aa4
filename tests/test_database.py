"""What the other tests stand on: tables by migration, a session that leaves nothing behind."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from luma import db, migrations
from luma.models.user import User
from luma.services import clock
from tests.database import Databases


def test_the_migrations_say_what_the_models_say(fresh_database: str) -> None:
    migrations.check(fresh_database)


def test_a_migrated_database_is_current(session: Session) -> None:
    assert migrations.is_current(session)


def test_a_database_behind_is_not_current(session: Session) -> None:
    session.execute(text("DELETE FROM alembic_version"))

    assert not migrations.is_current(session)


def test_many_processes_may_migrate_at_once(databases: Databases) -> None:
    with databases.fresh(migrated=False) as url:
        with ProcessPoolExecutor(4, get_context("spawn")) as processes:
            list(processes.map(migrations.upgrade, [url] * 4))

        engine = create_engine(url)
        with Session(engine) as session:
            assert migrations.is_current(session)
        engine.dispose()


@pytest.mark.parametrize("turn", [1, 2])
def test_what_a_test_writes_is_gone_in_the_next(session: Session, turn: int) -> None:
    earlier = session.query(User).count()

    session.add(_ada())
    session.commit()

    assert (turn, earlier) == (turn, 0)


def test_a_unit_of_work_sees_the_session_and_the_session_sees_it(session: Session) -> None:
    session.add(_ada())

    with db.unit_of_work() as inner:
        inner.query(User).one().name = "Countess"

    assert session.query(User).one().name == "Countess"


def test_a_unit_of_work_that_fails_leaves_the_session_whole(session: Session) -> None:
    session.add(_ada())

    with pytest.raises(IntegrityError), db.unit_of_work() as inner:
        inner.add(_ada())

    assert session.query(User).count() == 1


def test_a_fresh_database_is_the_one_in_use(fresh_database: str) -> None:
    with db.unit_of_work() as session:
        session.add(_ada())

    with db.unit_of_work() as session:
        name = session.scalar(text("SELECT current_database()"))
        assert session.query(User).count() == 1
    assert fresh_database.partition("?")[0].endswith(f"/{name}")


def _ada() -> User:
    return User(email="ada@example.com", name="Ada", password_hash="-", created_at=clock.now())
