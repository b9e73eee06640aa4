"""Pictures by their lasting ids: `/images/{id}`."""

from fastapi import APIRouter
from starlette.responses import Response

from luma.bridge import perform
from luma.pages.assets import FOREVER
from luma.services import images

router = APIRouter(include_in_schema=False)


@router.get("/images/{public_id}")
async def image(public_id: str) -> Response:
    picture = await perform(images.picture, public_id)
    return Response(
        picture.content, media_type=picture.content_type, headers={"Cache-Control": FOREVER}
    )
