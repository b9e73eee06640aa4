"""A page with nothing but the outline on it, and an outline kept in memory: `python -m` this.

Prints its port. `?size=600` makes a long course, `?empty` an empty one, `?refuse` says no to
every change, `?slow` answers late. `/outline` tells what the server holds.
"""

import asyncio
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from nicegui import ui
from starlette.requests import Request

from luma.errors import RuleBroken
from luma.pages.components import course_tree
from luma.pages.components.course_tree import ChapterNode, CourseTree, Kind, LessonNode
from luma.pages.feedback import toast

STATIC = Path(course_tree.__file__).parents[1] / "static"

app = FastAPI()
outlines: list["InMemory"] = []


class InMemory:
    def __init__(self, size: int, *, refuses: bool, seconds: float) -> None:
        per_chapter = max(size // 10, 4)
        self.refuses, self.seconds, self.ids = refuses, seconds, 100
        self.chapters = [
            ChapterNode(
                id=c,
                title=f"Chapter {c}",
                lessons=[
                    lesson_node(f"les_{c}_{n}", f"Lesson {c}.{n}") for n in range(per_chapter)
                ],
            )
            for c in range(1, max(size // per_chapter, 1) + 1)
            if size
        ]
        self.log: list[str] = []

    async def nodes(self) -> Sequence[ChapterNode]:
        return self.chapters

    async def move_lesson(self, lesson: str, chapter: int, index: int) -> None:
        await self._answer(f"move {lesson} to {chapter} at {index}")
        home = next(c for c in self.chapters if any(x["id"] == lesson for x in c["lessons"]))
        node = next(x for x in home["lessons"] if x["id"] == lesson)
        home["lessons"].remove(node)
        self._chapter(chapter)["lessons"].insert(index, node)

    async def move_chapter(self, chapter: int, index: int) -> None:
        await self._answer(f"move chapter {chapter} to {index}")
        node = self._chapter(chapter)
        self.chapters.remove(node)
        self.chapters.insert(index, node)

    async def rename(self, kind: Kind, node: int | str, title: str) -> None:
        await self._answer(f"rename {node} to {title}")
        for chapter in self.chapters:
            for found in (chapter, *chapter["lessons"]):
                if found["id"] == node:
                    found["title"] = title

    async def add_chapter(self, title: str, after: int | None) -> int:
        await self._answer(f"add chapter {title}")
        self.ids += 1
        place = self.chapters.index(self._chapter(after)) + 1 if after else 0
        self.chapters.insert(place, ChapterNode(id=self.ids, title=title, lessons=[]))
        return self.ids

    async def add_lesson(self, title: str, chapter: int, after: str | None) -> str:
        await self._answer(f"add lesson {title}")
        self.ids += 1
        lessons = self._chapter(chapter)["lessons"]
        place = [x["id"] for x in lessons].index(after) + 1 if after else 0
        lessons.insert(place, lesson_node(f"les_{self.ids}", title))
        return f"les_{self.ids}"

    async def remove(self, kind: Kind, node: int | str) -> None:
        await self._answer(f"remove {node}")
        self.chapters = [c for c in self.chapters if c["id"] != node]
        for chapter in self.chapters:
            chapter["lessons"] = [x for x in chapter["lessons"] if x["id"] != node]

    async def pick(self, lesson: str) -> None:
        self.log.append(f"pick {lesson}")

    def _chapter(self, chapter: int) -> ChapterNode:
        return next(c for c in self.chapters if c["id"] == chapter)

    async def _answer(self, change: str) -> None:
        await asyncio.sleep(self.seconds)
        if self.refuses:
            raise RuleBroken("Not today.")
        self.log.append(change)


def lesson_node(lesson: str, title: str) -> LessonNode:
    return LessonNode(id=lesson, title=title, status="draft", duration=245, preview=False)


@ui.page("/")
def stage(request: Request) -> None:
    wish = request.query_params
    ui.on_exception(toast)
    ui.add_head_html('<link rel="stylesheet" href="/static/luma.css">')
    ui.add_head_html('<link rel="stylesheet" href="/static/studio.css">')
    size = 0 if "empty" in wish else int(wish.get("size", "8"))
    outline = InMemory(size, refuses="refuse" in wish, seconds=0.4 if "slow" in wish else 0)
    outlines.append(outline)
    with ui.column().style("width: min(420px, 100%); align-items: stretch"):
        CourseTree(outline.chapters, outline)


@app.get("/outline")
def outline() -> dict[str, object]:
    latest = outlines[-1]
    titles = {c["title"]: [x["title"] for x in c["lessons"]] for c in latest.chapters}
    return {"outline": titles, "log": latest.log}


def main() -> None:
    app.mount("/static", StaticFiles(directory=STATIC))
    ui.run_with(app, tailwind=False, dark=None, show_welcome_message=False)
    door = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{door.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(app, log_level="warning")
    uvicorn.Server(config).run(sockets=[door])


if __name__ == "__main__":
    main()
