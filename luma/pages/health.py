"""For machines that watch: `/healthz` says the loop is alive, `/readyz` that all of it works."""

from dataclasses import asdict

from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse, Response

from luma.bridge import perform
from luma.errors import LumaError
from luma.services import health

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> Response:
    return PlainTextResponse("ok")


@router.get("/readyz")
async def readyz() -> Response:
    """200 when database, migrations, worker and disk are well; 503 with what is not."""
    try:
        found = await perform(health.health)
    except LumaError:
        return JSONResponse({"database": False}, 503)
    return JSONResponse({"database": True, **asdict(found)}, 200 if found.is_ready else 503)
