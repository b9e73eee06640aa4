"""Reviews: the form for one's own, and what others may do with one. No script is needed."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from luma.errors import LumaError, RuleBroken
from luma.pages.session import act_in, viewer_of
from luma.pages.shop.render import leave_note, render
from luma.services import review_reactions, review_wall, reviews
from luma.services.reviews import MyReview
from luma.values import ReportReason

router = APIRouter(include_in_schema=False)

Field = Annotated[str, Form()]


@router.get("/courses/{slug}/review")
async def review_page(request: Request, slug: str) -> Response:
    return _form(request, await act_in(request, reviews.mine, slug))


@router.post("/courses/{slug}/review")
async def write(request: Request, slug: str, stars: Field = "", text: Field = "") -> Response:
    try:
        await act_in(request, reviews.write, slug, stars, text)
    except RuleBroken as refusal:
        mine = await act_in(request, reviews.mine, slug)
        return _form(request, mine, refusal, stars=stars, text=text)
    if _is_part(request):
        return render(request, "thanks.html.j2", sentence="Thank you. Your review is saved.")
    return _back(slug, "Your review is saved.")


@router.post("/courses/{slug}/review/remove")
async def remove(request: Request, slug: str) -> Response:
    await act_in(request, reviews.remove, slug)
    return _back(slug, "Your review is removed.")


@router.post("/courses/{slug}/review/later")
async def put_off(request: Request, slug: str) -> Response:
    """The classroom asks again at the end of the course, or no more."""
    try:
        await act_in(request, reviews.put_off, slug)
    except LumaError as refusal:
        return Response(status_code=refusal.status)
    return Response(status_code=204)


@router.get("/reviews/{review}/report")
async def report_page(request: Request, review: str) -> Response:
    return await _report_form(request, review)


@router.post("/reviews/{review}/report")
async def report(request: Request, review: str, reason: Field = "", note: Field = "") -> Response:
    try:
        slug = await act_in(request, review_reactions.report, review, reason, note)
    except RuleBroken as refusal:
        return await _report_form(request, review, refusal, reason, note)
    return _back(slug, "Thank you. An admin looks at this review.")


@router.post("/reviews/{review}/helpful")
async def vote(request: Request, review: str, helpful: Field = "") -> Response:
    slug = await act_in(request, review_reactions.vote, review, helpful=helpful == "yes")
    return RedirectResponse(f"/courses/{quote(slug)}#{quote(review)}", 303)


@router.post("/reviews/{review}/reply")
async def reply(request: Request, review: str, text: Field = "") -> Response:
    slug = await act_in(request, review_reactions.reply, review, text)
    return _back(slug, "Your reply is saved." if text.strip() else "Your reply is removed.")


def _form(
    request: Request,
    mine: MyReview,
    refusal: LumaError | None = None,
    *,
    stars: str | None = None,
    text: str | None = None,
) -> Response:
    """The page, or with X-Part the form alone. What was typed is kept."""
    viewer = viewer_of(request)
    return render(
        request,
        "review_form.html.j2" if _is_part(request) else "review.html.j2",
        status=refusal.status if refusal else 200,
        here="learn",
        mine=mine,
        refusal=refusal and str(refusal),
        stars=str(mine.stars) if stars is None else stars,
        text=mine.text if text is None else text,
        signed=review_wall.signed(viewer.name if viewer else None),
        longest=reviews.LONGEST,
    )


async def _report_form(
    request: Request,
    review: str,
    refusal: LumaError | None = None,
    reason: str = "",
    note: str = "",
) -> Response:
    slug, course, text = await act_in(request, review_reactions.find, review)
    return render(
        request,
        "review_report.html.j2",
        status=refusal.status if refusal else 200,
        review=review,
        slug=slug,
        course=course,
        text=text,
        refusal=refusal and str(refusal),
        reason=reason,
        note_text=note,
        reasons=list(ReportReason),
        longest=review_reactions.LONGEST_NOTE,
    )


def _is_part(request: Request) -> bool:
    return "x-part" in request.headers


def _back(slug: str, sentence: str) -> Response:
    response = RedirectResponse(f"/courses/{quote(slug)}#reviews", 303)
    leave_note(response, sentence)
    return response
