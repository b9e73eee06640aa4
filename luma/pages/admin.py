"""What whoever runs the school must see: `/admin`."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from luma.pages.session import act_in
from luma.pages.shop.render import render
from luma.services import admin

router = APIRouter(include_in_schema=False)


@router.get("/admin")
async def overview(request: Request) -> Response:
    found = await act_in(request, admin.overview)
    return render(request, "admin.html.j2", overview=found)
