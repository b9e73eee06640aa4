"""The student's side of feedback: `/learn/{lesson or course}/feedback`, plain or in a part."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from luma.errors import LumaError, RuleBroken
from luma.pages.session import act_in
from luma.pages.shop.render import leave_note, render
from luma.services.feedback import sheets
from luma.services.feedback.sheets import OpenSheet
from luma.values import QuestionKind

router = APIRouter(include_in_schema=False)

SAVED = "Thank you. Your answers are saved."


@router.get("/learn/{place}/feedback")
async def feedback_page(request: Request, place: str) -> Response:
    return _form(request, await act_in(request, sheets.sheet, place))


@router.post("/learn/{place}/feedback")
async def hand_in(request: Request, place: str) -> Response:
    typed = {name: value for name, value in (await request.form()).items() if value}
    said = {name: value for name, value in typed.items() if name.startswith("qst_")}
    try:
        await act_in(request, sheets.answer, place, said, anonymous="anonymous" in typed)
    except RuleBroken as refusal:
        sheet = await act_in(request, sheets.sheet, place)
        return _form(request, sheet, refusal, typed)
    if "x-part" in request.headers:
        return render(request, "thanks.html.j2", sentence=SAVED)
    return await _back(request, place)


def _form(
    request: Request,
    sheet: OpenSheet,
    refusal: LumaError | None = None,
    typed: Mapping[str, object] | None = None,
) -> Response:
    """The page, or with X-Part the form alone. What was typed is kept."""
    is_part = "x-part" in request.headers
    return render(
        request,
        "feedback_form.html.j2" if is_part else "feedback.html.j2",
        status=refusal.status if refusal else 200,
        here="learn",
        sheet=sheet,
        QuestionKind=QuestionKind,
        refusal=refusal and str(refusal),
        answers=sheet.answers if typed is None else typed,
        anonymous=sheet.is_anonymous if typed is None else "anonymous" in typed,
        longest=sheets.LONGEST,
    )


async def _back(request: Request, place: str) -> Response:
    """To the lesson, or to where the course goes on."""
    where = (await act_in(request, sheets.sheet, place)).place
    lesson = f"/{where.id}" if where.lesson_id else ""
    response = RedirectResponse(f"/learn/{where.slug}{lesson}", 303)
    leave_note(response, SAVED)
    return response
