"""A small school to attack, in a process of its own: `python -m tests.pages.test_guard.target`.

NiceGUI is one per process, so a server with the guard and one without are two processes.
The last line this prints before it serves is its port. Every door here is for tests only.
"""

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from nicegui import Client, ui

from luma.errors import ServiceDown
from luma.pages import guard

live = {"ann", "bob"}
done: list[str] = []
uploaded: list[str] = []
state: dict[str, Any] = {"database": True, "asked": 0, "logged": []}

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


def session_of(cookies: Mapping[str, str]) -> str | None:
    return cookies.get("luma")


async def is_alive(key: str) -> bool:
    state["asked"] += 1
    await asyncio.sleep(0.02)
    if not state["database"]:
        raise ServiceDown("The database does not answer.")
    return key in live


@ui.page("/studio/press")
def press_page(request: Request) -> None:
    user = session_of(request.cookies)
    ui.on_exception(lambda error: ui.notify(str(error)))

    def press(name: str) -> None:
        done.append(f"{name} by {user}")

    ui.button("Press", on_click=lambda: press("press"))
    ui.button("Hidden", on_click=lambda: press("hidden")).set_visibility(False)
    ui.button("Disabled", on_click=lambda: press("disabled")).disable()
    with ui.card() as card, ui.row():
        ui.button("Inside hidden", on_click=lambda: press("inside hidden"))
        ui.upload(label="Hidden picture", on_upload=lambda e: uploaded.append(e.file.name))
    card.set_visibility(False)
    ui.input("Words", on_change=lambda event: press(f"words {event.value}"))
    ui.number("Count", on_change=lambda event: press(f"count {1 + event.value}"))
    ui.upload(label="Picture", max_file_size=1000, on_upload=lambda e: uploaded.append(e.file.name))


@ui.page("/studio/widgets")
def widgets_page() -> None:
    """The widgets that ran without a violation when the policy was chosen."""
    with ui.tabs() as tabs:
        ui.tab("One")
        ui.tab("Two")
    with ui.tab_panels(tabs, value="One"), ui.tab_panel("One"):
        ui.label("First tab")
    ui.table(columns=[{"name": "n", "label": "Name", "field": "n"}], rows=[{"n": "Ann"}])
    ui.upload(label="Picture")
    ui.editor(value="<b>bold</b>")
    ui.date(value="2026-01-01")
    ui.select(["one", "two"], value="one", label="Choice")
    ui.markdown("**strong** `code`")
    ui.code("print(1)")
    ui.html("<p>own <em>markup</em></p>")
    ui.tree([{"id": "a", "children": [{"id": "b"}]}], label_key="id")
    ui.mermaid("graph LR; A-->B")
    ui.echart({"xAxis": {"type": "category", "data": ["a"]}, "yAxis": {}, "series": []})
    ui.aggrid({"columnDefs": [{"field": "a"}], "rowData": [{"a": 1}]})
    ui.linear_progress(0.5)
    ui.checkbox("Agree")
    with ui.dialog() as dialog, ui.card():
        ui.label("In the dialog")
    ui.button("Open dialog", on_click=dialog.open)
    ui.button("Toast", on_click=lambda: ui.notify("Here is a toast"))
    words = ui.label("not yet")
    ui.button("Say", on_click=lambda: words.set_text("said"))
    ui.timer(0.1, lambda: ui.run_javascript("window.timerRan = true"), once=True)
    with ui.column().classes("grid gap-4 bg-slate-100 p-4"):
        ui.label("Tailwind")


@ui.page("/studio/hostile")
def hostile_page() -> None:
    """What careless code would let a stranger write into a page."""
    ui.editor(value="<img src=x onerror='window.hurt = \"editor\"'>")
    ui.add_body_html("<script>window.hurt = 'script'</script>")
    ui.link("Link", "javascript:void(window.hurt='link')")


@app.get("/studio")
def studio() -> PlainTextResponse:
    return PlainTextResponse("studio")


@app.get("/catalogue")
def catalogue(request: Request) -> HTMLResponse:
    nonce = getattr(request.state, "csp_nonce", "")
    return HTMLResponse(
        "<!doctype html><title>Catalogue</title><h1>Catalogue</h1>"
        f"<script nonce='{nonce}'>window.own = 'ran'</script>"
        "<script>window.hurt = 'inline'</script>"
        "<img src=x onerror=\"window.hurt = 'attribute'\">"
        "<style>h1 { color: rgb(255, 0, 0) }</style>"
    )


@app.get("/go")
def go() -> RedirectResponse:
    return RedirectResponse("/catalogue", 303)


@app.get("/broken")
def broken() -> None:
    raise KeyError("secret")


@app.get("/ticks")
def ticks() -> StreamingResponse:
    async def endless() -> AsyncIterator[str]:
        while True:
            yield "data: tick\n\n"
            await asyncio.sleep(0.05)

    return StreamingResponse(endless(), media_type="text/event-stream")


@app.post("/orders")
async def order(request: Request) -> PlainTextResponse:
    body = await request.body()
    done.append("order")
    return PlainTextResponse(str(len(body)))


@app.post("/webhooks/stripe")
async def webhook(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


@app.get("/healthz")
def healthz() -> PlainTextResponse:
    return PlainTextResponse("alive")


@app.get("/who")
def who(request: Request) -> dict[str, Any]:
    return {
        "host": request.client.host if request.client else None,
        "scheme": request.url.scheme,
        "forwarded": [name for name in request.headers if "forwarded" in name],
    }


@app.get("/state")
def seen() -> dict[str, Any]:
    sockets = {c.id: sum(c._num_connections.values()) for c in Client.instances.values()}
    return {"sockets": sockets, "done": done, "uploaded": uploaded, "asked": state["asked"]}


@app.get("/control/{what}/{key}")
def control(what: str, key: str) -> Response:
    if what in {"reset", "revive"}:
        live.update({"ann", "bob"})
    if what in {"end", "expire"}:
        live.discard(key)
    if what == "end" and state["guarded"]:
        guard.end_session(key)
    if what == "reset":
        done.clear()
        uploaded.clear()
        state["database"] = True
    if what == "database":
        state["database"] = key == "up"
    return PlainTextResponse("done")


def listening() -> socket.socket:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", 0))
    server.listen()
    return server


def main(*, guarded: bool) -> None:
    logging.basicConfig(level=logging.INFO)
    server = listening()
    port = server.getsockname()[1]
    state["guarded"] = guarded
    ui.run_with(app, reconnect_timeout=30, show_welcome_message=False)
    if guarded:
        guard.protect(
            app,
            origin=f"http://127.0.0.1:{port}",
            is_secure=False,
            trusted_proxy="127.0.0.1",
            frame_origin="https://www.youtube-nocookie.com",
            session_of=session_of,
            is_alive=is_alive,
        )
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    config = uvicorn.Config(app, proxy_headers=False, log_level="info")
    uvicorn.Server(config).run(sockets=[server])


if __name__ == "__main__":
    main(guarded="--guarded" in sys.argv)
