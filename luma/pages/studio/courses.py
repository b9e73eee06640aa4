"""Courses I teach: `/studio`. What each brings, and the way into each."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from nicegui import APIRouter, ui
from nicegui.events import GenericEventArguments

from luma.bridge import offload
from luma.errors import NotFound, RuleBroken
from luma.pages import assets, words
from luma.pages.components.undo import UndoToasts
from luma.pages.feedback import page, said
from luma.pages.layout import frame
from luma.pages.session import act, key_in
from luma.pages.shop.render import part
from luma.services import clock, course_list, second_factor, studio
from luma.services.course_list import CourseLine
from luma.services.money import drift

router = APIRouter()

SEND_TITLE = """(event) => {
    if (event.target.tagName !== "FORM") return;
    event.preventDefault();
    const button = event.target.querySelector("button");
    if (button.ariaBusy) return;
    button.ariaBusy = "true";
    setTimeout(() => button.ariaBusy = null, 2000);
    emit({title: event.target.elements.title.value});
}"""
SEND_PRESS = """(event) => {
    const button = event.target.closest("[data-delete], [data-sell]");
    if (!button || button.ariaBusy) return;
    if (button.dataset.delete) return emit({delete: button.dataset.delete});
    button.ariaBusy = "true";
    setTimeout(() => button.ariaBusy = null, 5000);
    emit({sell: button.dataset.sell});
}"""


@page(router, "/studio", "Studio")
async def courses(deleted: str = "") -> None:
    lines = await act(course_list.mine)
    is_wanted = await act(second_factor.is_wanted)
    ui.add_head_html(assets.tag("studio.css"))
    ui.add_head_html(assets.tag("admin.css"))
    with frame("Studio"):
        if is_wanted:
            wanted = part(ui.context.client.request, "second_factor_wanted.html.j2")
            ui.html(wanted, sanitize=False).classes("above")
        shelf = Shelf()
        shelf.draw(lines)
        if deleted:
            with suppress(NotFound):
                await shelf.offer_undo(deleted)


class Shelf:
    """The list of one's courses, as one element."""

    def draw(self, lines: Sequence[CourseLine]) -> None:
        self.list = ui.html(_list(lines), sanitize=False).classes("shelf")
        self.list.on("submit", self._create, js_handler=SEND_TITLE)
        self.list.on("click", self._pressed, js_handler=SEND_PRESS)
        self.undo = UndoToasts()

    async def offer_undo(self, course: str) -> None:
        title = await act(studio.deleted_title, course)

        async def bring_back() -> None:
            await act(studio.restore, course)
            ui.navigate.history.replace("/studio")
            await self._refresh()

        self.undo.offer(f"“{title}” is deleted.", bring_back)

    async def _create(self, event: GenericEventArguments) -> None:
        title = event.args.get("title") if isinstance(event.args, dict) else None
        if not isinstance(title, str):
            raise RuleBroken("Type a name for the course.")
        course = await act(studio.create, title)
        ui.navigate.to(f"/studio/{course}")

    async def _pressed(self, event: GenericEventArguments) -> None:
        pressed = event.args if isinstance(event.args, dict) else {}
        if isinstance(course := pressed.get("sell"), str):
            said(await offload(drift.mend, key_in(ui.context.client.request.cookies), course))
            await self._refresh()
        elif isinstance(course := pressed.get("delete"), str):
            await self._delete(course)
        else:
            raise NotFound("There is no such course among yours.")

    async def _delete(self, course: str) -> None:
        await act(studio.delete, course)
        await self._refresh()
        await self.offer_undo(course)

    async def _refresh(self) -> None:
        self.list.set_content(_list(await act(course_list.mine)))


def _list(lines: Sequence[CourseLine]) -> str:
    request = ui.context.client.request
    return part(request, "studio_courses.html.j2", lines=lines, ago=partial(words.ago, clock.now()))
