"""The files of `static/`: read once, served compressed, kept by browsers until they change."""

import gzip
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
FOREVER = "public, max-age=31536000, immutable"
TEXT = (".css", ".js", ".svg", ".txt", ".webmanifest")

_TAGS = {
    ".css": '<link rel="stylesheet" href="{}">',
    ".js": '<script src="{}" defer></script>',
}

router = APIRouter()

_made: dict[str, Callable[[], str]] = {}


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    packed: bytes | None
    content_type: str
    version: str


def make(name: str, content: Callable[[], str]) -> None:
    """Serve this like a file of `static/`. It is made once, when its address is first asked for."""
    _made[name] = content


@cache
def _files() -> frozenset[str]:
    return frozenset(path.name for path in FOLDER.iterdir() if path.is_file())


def _asset(name: str) -> Asset | None:
    """Names that nothing has are not remembered: there are endlessly many of them."""
    return _read(name) if name in _made or name in _files() else None


@cache
def _read(name: str) -> Asset:
    content = _made[name]().encode() if name in _made else (FOLDER / name).read_bytes()
    packed = gzip.compress(content, 9, mtime=0) if name.endswith(TEXT) else None
    content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Asset(content, packed, content_type, sha256(content).hexdigest()[:10])


def address(name: str) -> str:
    """Where a browser finds the file; another address whenever its content changes."""
    asset = _asset(name)
    if asset is None:
        raise FileNotFoundError(name)
    return f"/static/{name}?v={asset.version}"


def tag(name: str) -> str:
    """What a page's head says to load a stylesheet or a script."""
    form = _TAGS[Path(name).suffix]
    return form.format(address(name))


@router.get("/static/{name}", include_in_schema=False)
async def static_file(name: str, request: Request, v: str = "") -> Response:
    asset = _asset(name)
    if asset is None:
        return Response("There is no such file.", 404, media_type="text/plain")
    headers = {
        "Cache-Control": FOREVER if v == asset.version else "no-cache",
        "ETag": f'"{asset.version}"',
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if asset.packed and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.packed, headers=headers, media_type=asset.content_type)
    return Response(asset.content, headers=headers, media_type=asset.content_type)
