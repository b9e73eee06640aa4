"""The summaries of a course: `/studio/{course}/summaries`. What waits and what is missing."""

from nicegui import APIRouter, html, ui
from nicegui.events import GenericEventArguments

from luma.errors import LumaError, RuleBroken
from luma.pages import assets
from luma.pages.feedback import page, said, toast
from luma.pages.layout import frame
from luma.pages.session import act
from luma.pages.shop.render import part
from luma.services.assistant import budget, summaries, summary_list, summary_runs
from luma.services.assistant.summary_list import Overview, Run

router = APIRouter()

EVERY = 1.0
"""Seconds between two looks at a run, while there is one."""

STATES = {
    "none": ("", "No summary yet"),
    "draft": ("warning", "Draft to read"),
    "approved": ("positive", "Students see it"),
    "stale": ("warning", "The lesson has changed since"),
    "nothing": ("", "Too little to summarise"),
}
PRESSED = """(event) => {
    const button = event.target.closest("[data-act]");
    if (!button || button.ariaBusy) return;
    button.ariaBusy = "true";
    setTimeout(() => button.ariaBusy = null, 2000);
    emit({act: button.dataset.act, lesson: button.dataset.lesson ?? ""});
}"""


@page(router, "/studio/{course}/summaries", "Summaries")
async def course_summaries(course: str) -> None:
    overview = await act(summary_list.overview, course)
    ui.add_head_html(assets.tag("studio.css"))
    with frame(f"Summaries · {overview.title} · Studio"), html.div().classes("sum-page"):
        with html.div().classes("editor-head"):
            html.a(overview.title, href=f"/studio/{overview.course}").classes("editor-back")
            html.h1("Summaries")
        Board(overview).draw()


class Board:
    """The list, and above it how far a run is."""

    def __init__(self, overview: Overview) -> None:
        self.overview = overview
        self.course = overview.course

    def draw(self) -> None:
        self.run = ui.html(self._run(self.overview.run), sanitize=False)
        self.list = ui.html(self._list(), sanitize=False).classes("sum-board")
        for element in (self.run, self.list):
            element.on("click", self._pressed, js_handler=PRESSED)
        self.watch = ui.timer(EVERY, self._look, active=False)
        self._follow(self.overview.run)

    def _follow(self, run: Run | None) -> None:
        self.watch.active = run is not None and (run.is_running or run.is_settling)

    async def _look(self) -> None:
        """A look that fails is taken again."""
        try:
            run = await act(summary_list.latest_run, self.course)
        except LumaError as refusal:
            self.watch.active = False
            toast(refusal)
            return
        if run is None or not (run.is_running or run.is_settling):
            await self._refresh()
        else:
            self.run.set_content(self._run(run))

    async def _pressed(self, event: GenericEventArguments) -> None:
        match event.args:
            case {"act": "start" | "extract" as way}:
                missing = [line.id for line in (await self._read()).missing]
                await act(summary_runs.start, self.course, missing, ai=way == "start")
            case {"act": "cancel"}:
                await act(summary_runs.cancel, self.course)
            case {"act": "approve", "lesson": str(lesson)}:
                await self._approve(lesson)
            case _:
                raise RuleBroken("That could not be read. Load the page again.")
        await self._refresh()

    async def _approve(self, lesson: str) -> None:
        """Exactly what is shown here: a draft that was changed elsewhere is shown again first."""
        shown = next((line for line in self.overview.lines if line.id == lesson), None)
        if shown is None or not shown.draft:
            raise RuleBroken("This draft is not there any more.")
        try:
            await act(summaries.approve, self.course, lesson, shown.revision, shown.draft)
        except summaries.Changed:
            await self._refresh()
            raise
        said("Students see it now.")

    async def _read(self) -> Overview:
        self.overview = await act(summary_list.overview, self.course)
        return self.overview

    async def _refresh(self) -> None:
        await self._read()
        self.run.set_content(self._run(self.overview.run))
        self.list.set_content(self._list())
        self._follow(self.overview.run)

    def _list(self) -> str:
        return part(
            ui.context.client.request,
            "studio_summaries.html.j2",
            overview=self.overview,
            cents=budget.in_cents,
            states=STATES,
        )

    def _run(self, run: Run | None) -> str:
        request = ui.context.client.request
        return part(request, "studio_summary_run.html.j2", run=run, cents=budget.in_cents)
