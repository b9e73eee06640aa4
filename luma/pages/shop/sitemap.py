"""For search engines: `/sitemap.xml` and `/robots.txt`."""

from functools import partial
from xml.sax.saxutils import escape

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from luma.bridge import look
from luma.services import catalogue, instructors
from luma.services.catalogue import Entry
from luma.settings import settings

PRIVATE = ("/studio", "/learn", "/account", "/admin", "/checkout", "/orders", "/sandbox")

router = APIRouter(include_in_schema=False)


@router.api_route("/sitemap.xml", methods=["GET", "HEAD"])
async def sitemap() -> Response:
    courses, people = await look(catalogue.on_sale), await look(instructors.listed)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">',
        f"<url><loc>{escape(settings().base_url)}/</loc></url>",
        *map(partial(_line, "courses"), courses),
        *map(partial(_line, "instructors"), people),
        "</urlset>",
    ]
    return Response("\n".join(lines), media_type="application/xml")


@router.api_route("/robots.txt", methods=["GET", "HEAD"])
async def robots() -> Response:
    closed = "".join(f"Disallow: {path}\n" for path in PRIVATE)
    return PlainTextResponse(
        f"User-agent: *\n{closed}Allow: /\n\nSitemap: {settings().base_url}/sitemap.xml\n"
    )


def _line(shelf: str, entry: Entry) -> str:
    place = escape(f"{settings().base_url}/{shelf}/{entry.slug}")
    return f"<url><loc>{place}</loc><lastmod>{entry.updated_at.date().isoformat()}</lastmod></url>"
