"""Every course of the school: `/admin/courses`. Hide one with a reason, show it again."""

from collections.abc import Mapping

from nicegui import APIRouter

from luma.pages import section
from luma.pages.components.board import Wish
from luma.pages.feedback import page
from luma.pages.session import act
from luma.services.admin import courses

router = APIRouter()


@page(router, "/admin/courses", "Courses · Admin")
async def every_course(q: str = "", only: str = "all") -> None:
    growing, kept = section.Growing(), courses.only(only)

    async def read() -> Mapping[str, object]:
        found = await act(courses.found, q, kept, growing.most)
        return {"words_asked": q, "only": kept, "courses": found}

    await section.show("courses", read, {"hide": _hide, "show": _show, "more": growing.grow})


async def _hide(wish: Wish) -> str:
    await act(courses.hide, wish.thing, wish.fields.get("reason"))
    return "The course is hidden. Its instructor sees why; its students keep it."


async def _show(wish: Wish) -> str:
    on_sale = await act(courses.unhide, wish.thing)
    return "The course is on sale again." if on_sale else "Its instructor may publish it again."
