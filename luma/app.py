"""Put the parts together: routes, pages, error pages, the worker, and the guard around all."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator
from urllib.parse import quote, urlsplit

import nicegui
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from nicegui import ui
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse, Response

from luma import db, webhooks, worker
from luma.errors import LumaError, ProveAgain, SignInNeeded
from luma.pages import (
    admin,
    assets,
    classroom,
    feedback,
    guard,
    health,
    images,
    learn,
    mail,
    payouts,
    sales,
    shell,
    theme,
    thrift,
)
from luma.pages.account import leaving, my_data, overview, second_factor
from luma.pages.packed import PackedOnce
from luma.pages.session import WhoIsLooking, is_alive, key_in
from luma.pages.shop import (
    accounts,
    arrivals,
    catalogue,
    checkout,
    confirmations,
    course,
    feedback_sheet,
    forgotten,
    identities,
    instructor,
    onward,
    reviews,
    sandbox,
    sandbox_onboarding,
    second_step,
    sitemap,
)
from luma.pages.shop.errors import error_page
from luma.pages.shop.render import NotesShownOnce
from luma.pages.studio import (
    coupons,
    courses,
    editor,
    feedback_form,
    insights,
    rehearse,
    sale,
    summaries,
)
from luma.pages.studio import feedback as studio_feedback
from luma.settings import settings

log = logging.getLogger(__name__)


PLAIN = (
    assets.router,
    health.router,
    webhooks.router,
    images.router,
    catalogue.router,
    course.router,
    reviews.router,
    instructor.router,
    sitemap.router,
    accounts.router,
    forgotten.router,
    confirmations.router,
    second_step.router,
    second_factor.router,
    my_data.router,
    leaving.router,
    identities.router,
    arrivals.router,
    checkout.router,
    sandbox.router,
    feedback_sheet.router,
    studio_feedback.downloads,
    sales.downloads,
    sale.downloads,
    payouts.downloads,
    sandbox_onboarding.router,
    learn.router,
    mail.router,
)
BEHIND_SIGN_IN = (
    overview.router,
    sales.router,
    payouts.router,
    courses.router,
    coupons.router,
    sale.router,
    rehearse.router,
    editor.router,
    studio_feedback.router,
    feedback_form.router,
    summaries.router,
    insights.router,
    classroom.router,
    *admin.routers,
)

ODD = "Something in that request is not as it should be. Go back and try again."
SENTENCES = {
    404: "There is nothing at this address. It may have moved, or the link is not whole.",
    405: "This address does not take that kind of request.",
    413: "That is more than this address takes at once. Send less.",
}


def build(*, with_worker: bool = True) -> FastAPI:
    """The whole server. One per process: NiceGUI is."""
    app = FastAPI(title="LUMA", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan)
    app.state.with_worker = with_worker
    for router in PLAIN:
        app.include_router(router)
    _answer_errors(app)
    _add_nicegui(app)
    app.add_middleware(WhoIsLooking)
    app.add_middleware(PackedOnce)
    guard.protect(
        app,
        origin=settings().base_url,
        is_secure=settings().is_secure,
        trusted_proxy=settings().trusted_proxy,
        frame_origin=settings().youtube_frame,
        session_of=key_in,
        is_alive=is_alive,
        answer=_refusal,
    )
    shell.slim()
    return app


def _add_nicegui(app: FastAPI) -> None:
    theme.dress()
    for router in BEHIND_SIGN_IN:
        nicegui.app.include_router(router)
    nicegui.app.on_page_exception(_page_failed)
    nicegui.app.add_exception_handler(404, _http_error)
    logging.getLogger("nicegui").addFilter(feedback.QuietRefusals())
    nicegui.app.add_middleware(NotesShownOnce)
    nicegui.app.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=5)
    ui.run_with(
        app,
        title="LUMA",
        favicon=assets.FOLDER / "icon.svg",
        dark=None,
        language="en-US",
        reconnect_timeout=30,
        binding_refresh_interval=None,
        tailwind=False,
        gzip_middleware_factory=None,
        show_welcome_message=False,
    )
    thrift.begin()


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    working = asyncio.create_task(worker.work()) if app.state.with_worker else None
    _settle_memory()
    yield
    if working is not None:
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
    db.forget()


def _settle_memory() -> None:
    """What is here now stays: leaving it out of every collection saves a third of the CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


def _answer_errors(app: FastAPI) -> None:
    app.add_exception_handler(LumaError, _luma_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(Exception, _fault)


async def _luma_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, LumaError)  # noqa: S101  (registered for it above)
    if isinstance(error, SignInNeeded) and request.method == "GET":
        return RedirectResponse(f"/sign-in?next={quote(request.url.path)}", 303)
    if isinstance(error, ProveAgain):
        where = request.url.path if request.method == "GET" else _form_page(request)
        return RedirectResponse(f"/sign-in/again?next={quote(where)}", 303)
    return error_page(request, error.status, str(error))


def _form_page(request: Request) -> str:
    """Where the form stood that was sent: the account, unless the browser says better."""
    sender = urlsplit(request.headers.get("referer", ""))
    return onward.safe(sender.path) or "/account"


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return error_page(request, status, SENTENCES.get(status, ODD))


async def _bad_request(request: Request, _error: Exception) -> Response:
    return error_page(request, 400, ODD)


async def _fault(request: Request, _error: Exception) -> Response:
    """The log has the cause; the visitor gets an apology."""
    return error_page(request, 500, feedback.APOLOGY)


def _refusal(request: Request, refusal: LumaError) -> Response:
    return error_page(request, refusal.status, str(refusal))


def _page_failed(error: Exception) -> None:
    log.error("a page failed", exc_info=error)
    feedback.apologise(500, feedback.APOLOGY)
