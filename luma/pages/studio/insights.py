"""What the students of a course say: `/studio/{course}/insights`. Themes, their quotes, to-dos."""

from functools import partial

from nicegui import APIRouter, html, ui
from nicegui.events import GenericEventArguments

from luma.errors import RuleBroken
from luma.pages import assets, words
from luma.pages.feedback import page, said
from luma.pages.layout import frame
from luma.pages.session import act
from luma.pages.shop.render import part
from luma.services import clock
from luma.services.assistant import analysis, asking, budget, insights, todos
from luma.services.assistant.analysis import Found
from luma.services.assistant.insights import Insights

router = APIRouter()

UNREADABLE = "That could not be read. Load the page again."
KINDS = {
    "praise": ("positive", "Praise"),
    "problem": ("negative", "Problem"),
    "wish": ("warning", "Wish"),
}
PRESSED = """(event) => {
    const button = event.target.closest("[data-act]");
    if (!button || button.ariaBusy) return;
    button.ariaBusy = "true";
    setTimeout(() => button.ariaBusy = null, 2000);
    const {act, id = "", number = "0"} = button.dataset;
    emit({act, id, number: Number(number), change: ""});
}"""
SENT = """(event) => {
    event.preventDefault();
    const form = event.target;
    if (form.ariaBusy) return;
    form.ariaBusy = "true";
    setTimeout(() => form.ariaBusy = null, 2000);
    emit({act: "tell", id: form.dataset.id, number: 0, change: form.elements.change.value});
}"""


@page(router, "/studio/{course}/insights", "Insights")
async def course_insights(course: str) -> None:
    found = await act(insights.insights, course)
    ui.add_head_html(assets.tag("studio.css"))
    with frame(f"Insights · {found.title} · Studio"), html.div().classes("ins-page"):
        with html.div().classes("editor-head"):
            html.a(found.title, href=f"/studio/{found.course}").classes("editor-back")
            html.h1("Insights")
            with html.div().classes("row push"):
                html.a("All feedback", href=f"/studio/{found.course}/feedback").classes(
                    "button quiet"
                )
        Board(found).draw()


class Board:
    """All of it, as one element."""

    def __init__(self, found: Insights) -> None:
        self.found = found
        self.course = found.course
        self.waiting = False

    def draw(self) -> None:
        self.board = ui.html(self._drawn(), sanitize=False).classes("ins-board")
        self.board.on("click", self._do, js_handler=PRESSED)
        self.board.on("submit", self._do, js_handler=SENT)

    async def _do(self, event: GenericEventArguments) -> None:
        match event.args:
            case {"act": "analyse"}:
                await self._analyse()
            case {"act": "todo", "id": str(view), "number": int(number)}:
                await act(todos.make, self.course, view, number)
            case {"act": "finish", "id": str(todo)}:
                await act(todos.finish, self.course, todo)
            case {"act": "reopen", "id": str(todo)}:
                await act(todos.reopen, self.course, todo)
            case {"act": "remove", "id": str(todo)}:
                await act(todos.remove, self.course, todo)
            case {"act": "tell", "id": str(todo), "change": str(change)}:
                told = await act(todos.tell, self.course, todo, change)
                said(f"{words.counted(told, 'student is', 'students are')} told.")
            case _:
                raise RuleBroken(UNREADABLE)
        await self._refresh()

    async def _analyse(self) -> None:
        """One at a time. Whatever becomes of it, what was shown before is shown again."""
        if self.waiting:
            return
        self.waiting = True
        try:
            asked = await act(analysis.begin, self.course)
            self.board.set_content(self._drawn())
            found = await asking.read(asked.call, Found)
            await act(analysis.keep, self.course, asked, found)
        finally:
            self.waiting = False
            self.board.set_content(self._drawn())

    async def _refresh(self) -> None:
        self.found = await act(insights.insights, self.course)
        self.board.set_content(self._drawn())

    def _drawn(self) -> str:
        return part(
            ui.context.client.request,
            "studio_insights.html.j2",
            insights=self.found,
            waiting=self.waiting,
            cents=budget.in_cents,
            ago=partial(words.ago, clock.now()),
            kinds=KINDS,
        )
