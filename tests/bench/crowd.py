"""Many at once: memory for each who is connected, and how quickly the server answers them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from sqlalchemy import select

from luma.models.course import Course
from tests.bench import seed, sockets
from tests.bench.figures import percentile
from tests.bench.processes import Served
from tests.bench.sockets import Person
from tests.bench.table import Row
from tests.bench.world import World

Ask = Callable[[Person, int], Awaitable[float]]

STUDENTS, INSTRUCTORS, WARM = 100, 20, 10
CLICKS, PAUSE = 400, 0.02
GONE_AFTER = 36
"""Seconds; the server keeps a place for thirty."""


def rows(world: World) -> Iterator[Row]:
    with world.session() as session:
        here, there = seed.first_lesson(session, seed.SHORT)
        course = session.scalar(select(Course.public_id).where(Course.slug == seed.SHORT))
    with world.serving(world.usual()) as luma:
        yield from asyncio.run(_come_and_go(luma, here, there, f"/studio/{course}"))


async def _come_and_go(luma: Served, here: str, there: str, studio: str) -> list[Row]:
    students = [seed.student(number) for number in range(STUDENTS)]
    async with sockets.crowd(luma, here, students[:WARM]) as people:
        await _clicked(people, [here, there], 4 * WARM)
        await _echoed(people, WARM)
    await asyncio.sleep(GONE_AFTER)
    empty = luma.memory()
    async with sockets.crowd(luma, here, students) as people:
        full = luma.memory()
        swaps = await _clicked(people, [here, there], CLICKS)
        spent = luma.cpu()
        echoes = await _echoed(people, CLICKS)
        spent = luma.cpu() - spent
    await asyncio.sleep(GONE_AFTER)
    async with sockets.crowd(luma, here, students):
        again = luma.memory()
    before = luma.memory()
    async with sockets.crowd(luma, studio, [seed.TEACHER] * INSTRUCTORS, at_once=4):
        taught = luma.memory()
    for_each = (full - empty) * 1024 / STUDENTS
    teaching = (taught - before) * 1024 / INSTRUCTORS
    clicked = "next lesson at 100 clients and 50 clicks/s, p95"
    return [
        Row("memory for each connected student", for_each, "KB", most=250),
        Row("memory when the next hundred take their place", again / full, "×", most=1.1),
        Row("memory for each instructor with an editor open", teaching, "KB", most=600),
        Row("event round trip at 100 clients, p50", percentile(echoes, 50), "ms", most=2),
        Row("event round trip at 100 clients, p95", percentile(echoes, 95), "ms", most=10),
        Row("event round trip, server CPU", spent * 1000 / CLICKS, "ms"),
        Row(clicked, percentile(swaps, 95), "ms", most=300),
    ]


async def _clicked(people: list[Person], lessons: list[str], clicks: int) -> list[float]:
    """Everyone goes on to another lesson, now and then; milliseconds until it is there."""
    ids = [path.rpartition("/")[2] for path in lessons]
    return await _in_turn(
        people, clicks, lambda person, turn: person.goes_to(ids[turn // len(people) % 2], turn)
    )


async def _echoed(people: list[Person], clicks: int) -> list[float]:
    """An event that needs no database: it is refused in words."""
    nonsense = {"lesson": "", "done": "perhaps"}
    return await _in_turn(
        people, clicks, lambda person, _: person.wish("markLesson", nonsense, "complete or not")
    )


async def _in_turn(people: list[Person], clicks: int, ask: Ask) -> list[float]:
    """One after the other and again, at an even pace; nobody waits for the answer of another."""
    asked = []
    for turn in range(clicks):
        asked.append(asyncio.create_task(_alone(people[turn % len(people)], ask, turn)))
        await asyncio.sleep(PAUSE)
    return [seconds * 1000 for seconds in await asyncio.gather(*asked)]


async def _alone(person: Person, ask: Ask, turn: int) -> float:
    async with person.turn:
        return await ask(person, turn)
