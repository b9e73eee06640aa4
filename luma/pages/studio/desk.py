"""What the outline of an open editor asks for, carried out in the name of whoever looks."""

from collections.abc import Awaitable, Callable, Sequence

from luma.pages.components.course_tree import ChapterNode, Kind, LessonNode
from luma.pages.session import act
from luma.services import outline
from luma.services.outline import ChapterLine, LessonLine, RemovedChapter, RemovedLesson

Removed = RemovedChapter | RemovedLesson


class OutlineDesk:
    """`on_pick`, `on_rename` and `on_remove` are told once the change is in the database."""

    def __init__(
        self,
        course: str,
        *,
        on_pick: Callable[[str], Awaitable[None]],
        on_rename: Callable[[str], Awaitable[None]],
        on_remove: Callable[[Removed], Awaitable[None]],
    ) -> None:
        self._course = course
        self._on_pick = on_pick
        self._on_rename = on_rename
        self._on_remove = on_remove

    async def nodes(self) -> Sequence[ChapterNode]:
        return nodes(await act(outline.tree, self._course))

    async def move_lesson(self, lesson: str, chapter: int, index: int) -> None:
        await act(outline.move_lesson, self._course, lesson, chapter, index)

    async def move_chapter(self, chapter: int, index: int) -> None:
        await act(outline.move_chapter, self._course, chapter, index)

    async def rename(self, kind: Kind, node: int | str, title: str) -> None:
        if isinstance(node, int):
            await act(outline.rename_chapter, self._course, node, title)
        else:
            await act(outline.rename_lesson, self._course, node, title)
            await self._on_rename(node)

    async def add_chapter(self, title: str, after: int | None) -> int:
        return await act(outline.add_chapter, self._course, title, after)

    async def add_lesson(self, title: str, chapter: int, after: str | None) -> str:
        return await act(outline.add_lesson, self._course, title, chapter, after)

    async def remove(self, kind: Kind, node: int | str) -> None:
        if isinstance(node, int):
            await self._on_remove(await act(outline.remove_chapter, self._course, node))
        else:
            await self._on_remove(await act(outline.remove_lesson, self._course, node))

    async def restore(self, removed: Removed) -> None:
        if isinstance(removed, RemovedChapter):
            await act(outline.restore_chapter, self._course, removed)
        else:
            await act(outline.restore_lesson, self._course, removed)

    async def pick(self, lesson: str) -> None:
        await self._on_pick(lesson)


def nodes(tree: Sequence[ChapterLine]) -> list[ChapterNode]:
    return [
        ChapterNode(id=chapter.id, title=chapter.title, lessons=[*map(_lesson, chapter.lessons)])
        for chapter in tree
    ]


def _lesson(line: LessonLine) -> LessonNode:
    return LessonNode(
        id=line.id,
        title=line.title,
        status=line.status.value,
        duration=line.duration,
        preview=line.is_preview,
    )
