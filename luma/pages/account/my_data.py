"""All that LUMA knows about a person, as one file: `/account/data`."""

from collections.abc import Iterator
from contextlib import closing
from typing import IO

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from luma.bridge import offload
from luma.pages.session import act_in, viewer_of
from luma.pages.shop.render import render
from luma.services import clock, my_data, my_data_archive, proofs

router = APIRouter(include_in_schema=False)

CHUNK = 64 * 1024


@router.get("/account/data")
async def my_data_page(request: Request) -> Response:
    await act_in(request, proofs.ensure_proved)
    return render(request, "my_data.html.j2")


@router.post("/account/data")
async def download(request: Request) -> Response:
    """Counted first; then read, packed in a thread and sent bit by bit."""
    await act_in(request, my_data.begin)
    tables = await act_in(request, my_data.tables)
    viewer = viewer_of(request)
    file = await offload(my_data_archive.packed, viewer.name if viewer else "you", tables)
    name = f"luma-data-{clock.now().date().isoformat()}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(_pieces(file), media_type="application/zip", headers=headers)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with closing(file):
        while piece := file.read(CHUNK):
            yield piece
