"""What students answered: `/studio/{course}/feedback`, filtered in the address, and as CSV."""

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter as PlainRouter
from fastapi import Query, Request
from nicegui import APIRouter, ui
from nicegui.events import GenericEventArguments
from starlette.responses import Response

from luma.errors import RuleBroken
from luma.pages import assets
from luma.pages.feedback import page
from luma.pages.layout import frame
from luma.pages.session import act, act_in
from luma.pages.shop.render import part
from luma.services.feedback import results, table
from luma.services.feedback.results import MOST_PAGES, Results, Wish

router = APIRouter()
downloads = PlainRouter(include_in_schema=False)

Shown = Annotated[str, Query(alias="page")]

SEND_FILTER = """(event) => {
    const {lesson, question} = event.target.form.elements;
    emit({lesson: lesson.value, question: question.value, page: 1});
}"""
SEND_MORE = """(event) => {
    const link = event.target.closest("[data-more]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    emit(JSON.parse(link.dataset.more));
}"""


@page(router, "/studio/{course}/feedback", "Feedback")
async def answers(course: str, lesson: str = "", question: str = "", shown: Shown = "") -> None:
    wish = Wish(lesson, question, _page(shown))
    found = await act(results.results, course, wish)
    ui.add_head_html(assets.tag("studio.css"))
    with frame(f"Feedback · {found.title}"):
        Board(found.course).draw(found, wish)


@downloads.get("/studio/{course}/feedback.csv")
async def spreadsheet(
    request: Request, course: str, lesson: str = "", question: str = ""
) -> Response:
    said = await act_in(request, table.table, course, Wish(lesson, question))
    return Response(
        said,
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="feedback.csv"',
            "Cache-Control": "no-store",
        },
    )


class Board:
    """Charts and words, as one element."""

    def __init__(self, course: str) -> None:
        self.course = course

    def draw(self, found: Results, wish: Wish) -> None:
        self.board = ui.html(self._drawn(found, wish), sanitize=False).classes("board")
        self.board.on("change", self._show, js_handler=SEND_FILTER)
        self.board.on("click", self._show, js_handler=SEND_MORE)

    async def _show(self, event: GenericEventArguments) -> None:
        wish = read(event.args)
        found = await act(results.results, self.course, wish)
        ui.navigate.history.replace(self._address("", wish, wish.page))
        self.board.set_content(self._drawn(found, wish))

    def _drawn(self, found: Results, wish: Wish) -> str:
        return part(
            ui.context.client.request,
            "studio_feedback.html.j2",
            found=found,
            wish=wish,
            whole=results.WHOLE,
            table_address=self._address(".csv", wish, 1),
            more={"lesson": wish.lesson, "question": wish.question, "page": wish.page + 1},
            more_address=self._address("", wish, wish.page + 1),
        )

    def _address(self, ending: str, wish: Wish, page: int) -> str:
        asked = {"lesson": wish.lesson, "question": wish.question, "page": page}
        query = urlencode({name: value for name, value in asked.items() if value and value != 1})
        place = f"/studio/{quote(self.course)}/feedback{ending}"
        return f"{place}?{query}" if query else place


def read(said: object) -> Wish:
    """What a browser wants to see. Raises RuleBroken for what is no wish."""
    wish = said if isinstance(said, dict) else {}
    lesson, question, number = (wish.get(name) for name in ("lesson", "question", "page"))
    if not isinstance(lesson, str) or not isinstance(question, str) or type(number) is not int:
        raise RuleBroken("Load the page again and choose once more.")
    if len(lesson) > 80 or len(question) > 80 or not 1 <= number <= MOST_PAGES:
        raise RuleBroken("Load the page again and choose once more.")
    return Wish(lesson, question, number)


def _page(said: str) -> int:
    return min(max(1, int(said)), MOST_PAGES) if said.isdecimal() and len(said) < 6 else 1
