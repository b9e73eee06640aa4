"""Rehearse a sale of a course: `/studio/rehearse/{course}`. One button, and each step ticked."""

from nicegui import APIRouter, ui

from luma.errors import LumaError
from luma.pages import assets
from luma.pages.components.board import Board, Wish
from luma.pages.feedback import page, toast
from luma.pages.layout import frame
from luma.pages.session import act
from luma.pages.shop.render import part
from luma.services.money import rehearsal, rehearsal_steps

router = APIRouter()

EVERY = 1.0


@page(router, "/studio/rehearse/{course}", "Rehearse · Studio")
async def rehearse(course: str) -> None:
    found = await act(rehearsal_steps.look, course)

    def drawn() -> str:
        request = ui.context.client.request
        return part(request, "studio_rehearse.html.j2", section="", rehearsal=found)

    async def look() -> None:
        nonlocal found
        try:
            found = await act(rehearsal_steps.look, course)
        except LumaError as refusal:
            watch.active = False
            toast(refusal)
            return
        watch.active = found.is_running
        board.show(drawn())

    async def begin(_wish: Wish) -> None:
        await act(rehearsal.begin, course)
        await look()

    ui.add_head_html(assets.tag("admin.css"))
    ui.add_head_html(assets.tag("rehearse.css"))
    with frame(f"Rehearse · {found.title} · Studio"):
        board = Board(drawn(), {"begin": begin})
        watch = ui.timer(EVERY, look, active=found.is_running)
