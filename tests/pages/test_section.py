"""A section shows the newest that is known, whoever looks at the same moment."""

import asyncio
from typing import cast

from luma.pages.components.board import Board
from luma.pages.section import Drawing


class Wall:
    shows = ""

    def show(self, html: str) -> None:
        self.shows = html


async def test_an_older_look_that_takes_longer_does_not_cover_a_newer_one() -> None:
    truth, slow = "old", asyncio.Event()

    async def drawn() -> str:
        seen = truth
        if seen == "old":
            await slow.wait()
        return seen

    wall = Wall()
    drawing = Drawing(cast("Board", wall), drawn)
    first = asyncio.create_task(drawing.again())
    await asyncio.sleep(0)
    truth = "new"
    second = asyncio.create_task(drawing.again())
    await asyncio.sleep(0)
    slow.set()
    await asyncio.gather(first, second)

    assert wall.shows == "new"
