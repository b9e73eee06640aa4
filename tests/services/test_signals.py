"""An open page hears of a change in any process, and never waits on a lost connection."""

import asyncio

from sqlalchemy import text

from luma import db
from luma.bridge import perform
from luma.services import signals


async def test_a_bell_rings_when_its_topic_is_told_and_for_no_other(fresh_database: str) -> None:
    async with signals.bell("ord_1") as mine, signals.bell("ord_2") as other:
        await listening(mine, other)

        await perform(signals.tell, "ord_1")

        assert await mine.rings(5)
        assert not await other.rings(0.1)


async def test_everybody_at_one_topic_hears_it(fresh_database: str) -> None:
    async with signals.bell("ord_1") as one, signals.bell("ord_1") as two:
        await listening(one, two)

        await perform(signals.tell, "ord_1")

        assert all(await asyncio.gather(one.rings(5), two.rings(5)))


async def test_nothing_is_told_when_the_transaction_fails(fresh_database: str) -> None:
    async with signals.bell("ord_1") as bell:
        await listening(bell)
        with db.unit_of_work() as session:
            signals.tell(session, "ord_1")
            session.rollback()

        assert not await bell.rings(0.1)


async def test_every_bell_rings_when_the_connection_comes_back(fresh_database: str) -> None:
    """What was told in between is lost, so everybody looks again."""
    async with signals.bell("ord_1") as bell:
        await listening(bell)
        with db.unit_of_work() as session:
            ended = session.scalars(text(END_LISTENERS)).all()

        assert ended == [True]
        assert await bell.rings(10)
        await perform(signals.tell, "ord_1")
        assert await bell.rings(5)


END_LISTENERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'luma signals'
"""


async def listening(*bells: signals.Bell) -> None:
    """The first ring says that the connection is there."""
    for bell in bells:
        assert await bell.rings(10)
