"""My courses, the way into one of them, and what its player reports."""

from json import JSONDecodeError

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from luma.errors import LumaError, RuleBroken
from luma.pages.session import act_in
from luma.pages.shop.render import render
from luma.services import learning, learning_outline
from luma.services.learning_reports import Report

router = APIRouter()


@router.get("/learn")
async def my_courses(request: Request) -> Response:
    courses = await act_in(request, learning_outline.my_courses)
    return render(request, "learn.html.j2", courses=courses)


@router.get("/learn/{course}")
async def go_on(request: Request, course: str) -> Response:
    """To the lesson where this course goes on."""
    found = await act_in(request, learning_outline.continuation, course)
    return RedirectResponse(f"/learn/{course}/{found.lesson_id}", 303)


@router.post("/learn/{lesson}/position")
async def note_position(request: Request, lesson: str) -> Response:
    """Where a video is and what of it was watched. The browser asks again until this answers."""
    try:
        noted = await act_in(request, learning.note_position, lesson, await _report(request))
    except LumaError as refusal:
        return JSONResponse({"refusal": str(refusal)}, refusal.status)
    return JSONResponse(
        {"is_done": noted.is_done, "just_done": noted.just_done, "seen": noted.seen}
    )


async def _report(request: Request) -> Report:
    try:
        said = await request.json()
    except (JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RuleBroken("This report is not JSON.") from error
    if not isinstance(said, dict):
        raise RuleBroken("A report has a position and the pieces that were watched.")
    return Report.read(
        said.get("position"), said.get("watched"), said.get("length"), said.get("age")
    )
