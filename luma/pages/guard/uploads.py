"""Files sent to NiceGUI's upload boxes: by whom, how many, how large."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from nicegui import Client, ui
from nicegui.elements import upload
from nicegui.elements.upload_files import FileUpload, create_file_upload
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Scope

from luma.errors import NotAllowed, SignInNeeded
from luma.pages.guard import headers, limits, lives, sockets
from luma.pages.guard.rules import Rules

_BOX = re.compile(r"/_nicegui/client/([^/]+)/upload/(\d+)")
_ENVELOPE_BYTES = 64 * 1024
"""Names and boundaries around the files of one request."""

_watching = False


def watch() -> None:
    """Make the limits of an upload box hold on the server too. Twice changes nothing."""
    global _watching  # noqa: PLW0603  (one NiceGUI per process)
    if _watching:
        return
    _watching = True
    upload.create_file_upload = _files_only(create_file_upload)  # type: ignore[attr-defined]
    ui.upload.handle_uploads = _within_limits(ui.upload.handle_uploads)  # type: ignore[method-assign]


async def most_bytes(scope: Scope, rules: Rules) -> int:
    """How long this request's body may be. Raises NotAllowed at a box that is not one's own."""
    box = _box_of(scope)
    if box is None:
        return limits.BODY_BYTES
    await _ensure_own(box, scope, rules)
    return min(_file_bytes(box) + _ENVELOPE_BYTES, limits.UPLOAD_BYTES)


def _box_of(scope: Scope) -> ui.upload | None:
    found = _BOX.fullmatch(scope["path"])
    client = Client.instances.get(found[1]) if found else None
    element = client.elements.get(int(found[2])) if found and client else None
    return element if isinstance(element, ui.upload) else None


async def _ensure_own(box: ui.upload, scope: Scope, rules: Rules) -> None:
    key = rules.session_of(headers.cookies(scope))
    if key is None or key != lives.session_key(box.client):
        raise SignInNeeded("Sign in to upload files.")
    if not await lives.is_live(box.client):
        raise SignInNeeded("Your session has ended. Sign in to upload files.")
    if sockets.is_out_of_reach(box):
        raise NotAllowed("Files cannot be uploaded here right now.")


def _file_bytes(box: ui.upload) -> int:
    """What the box says it takes; a box that says nothing takes what any request may carry."""
    if total := box.props.get("max-total-size"):
        return int(total)
    if each := box.props.get("max-file-size"):
        return int(each) * _file_count(box)
    return limits.BODY_BYTES


def _file_count(box: ui.upload) -> int:
    several = limits.FILES_AT_ONCE if box.props.get("multiple") else 1
    return int(box.props.get("max-files") or several)


def _files_only(create: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(create)
    async def checked(file: object) -> FileUpload:
        if not isinstance(file, UploadFile):
            raise HTTPException(400, "Only files can be uploaded here.")
        made: FileUpload = await create(file)
        return made

    return checked


def _within_limits(handle: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(handle)
    async def checked(box: ui.upload, files: list[FileUpload]) -> None:
        if len(files) > _file_count(box):
            raise HTTPException(413, "These are too many files at once.")
        most = int(box.props.get("max-file-size") or _file_bytes(box))
        if any(file.size() > most for file in files):
            raise HTTPException(413, "This file is too large.")
        await handle(box, files)

    return checked
