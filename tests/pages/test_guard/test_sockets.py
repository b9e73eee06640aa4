"""Attacks on NiceGUI's socket. Without the guard each of them works."""

import asyncio
import json
from contextlib import AsyncExitStack, suppress

import pytest
import socketio  # type: ignore[import-untyped]
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.pages.test_guard.attacker import Line, Server, until


async def test_a_page_of_ones_own_works(server: Server) -> None:
    ann = server.visitor("ann")
    page = ann.open()

    async with ann.line(page) as line:
        await line.say("event", page.event("Press"))

        await until(lambda: server.done == ["press by ann"])


async def test_another_makers_client_works_too(guarded: Server) -> None:
    ann = guarded.visitor("ann")
    page = ann.open()
    query = f"client_id={page.client_id}&tab_id=t&document_id=d&next_message_id=0"
    client = socketio.AsyncClient()

    await client.connect(
        f"{guarded.origin}?{query}&implicit_handshake=true",
        headers=ann.headers | {"Origin": guarded.origin},
        transports=["websocket"],
        socketio_path="/_nicegui_ws/socket.io",
    )
    await client.emit("event", page.event("Press"))

    await until(lambda: guarded.done == ["press by ann"])
    await client.disconnect()


async def test_a_socket_from_another_site_is_refused(server: Server) -> None:
    stranger = server.visitor()

    try:
        async with stranger.line(origin="https://evil.example"):
            is_open = True
    except InvalidStatus:
        is_open = False

    assert is_open is not server.is_guarded


def test_polling_shows_another_site_nothing(server: Server) -> None:
    path = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"

    answer = server.visitor("ann").get(path, Origin="https://evil.example")

    allowed = answer.headers.get("access-control-allow-origin")
    assert (allowed == "https://evil.example") is not server.is_guarded
    assert (answer.status_code == 200) is not server.is_guarded


async def test_a_stolen_client_id_opens_nothing_without_the_cookie(server: Server) -> None:
    page = server.visitor("ann").open()

    async with server.visitor().line(page) as line:
        is_accepted = line.is_accepted

    assert is_accepted is not server.is_guarded


async def test_a_stolen_client_id_opens_nothing_with_another_cookie(server: Server) -> None:
    page = server.visitor("ann").open()

    async with server.visitor("bob").line(page) as line:
        is_accepted = line.is_accepted

    assert is_accepted is not server.is_guarded


async def test_a_late_handshake_is_bound_to_the_session_too(server: Server) -> None:
    page = server.visitor("ann").open()
    wish = {"client_id": page.client_id, "tab_id": "t", "document_id": "d", "next_message_id": 0}

    async with server.visitor("bob").line() as line:
        await line.socket.send(f"420{json.dumps(['handshake', wish])}")
        answer = await line.hears("43")

    assert ("true" in answer) is not server.is_guarded


async def test_an_event_for_anothers_page_is_dropped(server: Server) -> None:
    ann = server.visitor("ann")
    page = ann.open()

    async with ann.line(page), server.visitor().line() as attacker:
        await attacker.say("event", page.event("Press"))
        await attacker.settle()

    assert (server.done == ["press by ann"]) is not server.is_guarded


async def test_a_second_tab_cannot_take_a_page_over(server: Server) -> None:
    ann = server.visitor("ann")
    page = ann.open()

    async with ann.line(page), ann.line(page, tab="other") as second:
        assert not second.is_accepted


@pytest.mark.parametrize("label", ["Hidden", "Disabled"])
async def test_what_is_hidden_or_off_cannot_be_used(server: Server, label: str) -> None:
    ann = server.visitor("ann")
    page = ann.open()

    async with ann.line(page) as line:
        await line.say("event", page.event(label))
        await line.settle()

    assert server.done == []


async def test_what_is_inside_something_hidden_cannot_be_used(server: Server) -> None:
    ann = server.visitor("ann")
    page = ann.open()

    async with ann.line(page) as line:
        await line.say("event", page.event("Inside hidden"))
        await line.settle()

    assert (server.done == ["inside hidden by ann"]) is not server.is_guarded


async def test_an_old_page_does_nothing_after_its_session_has_ended(server: Server) -> None:
    ann = server.visitor("ann")
    page = ann.open()

    async with ann.line(page) as line:
        server.control("end", "ann")
        await line.say("event", page.event("Press"))
        await line.settle()

    assert (server.done == ["press by ann"]) is not server.is_guarded


async def test_a_session_that_ended_elsewhere_is_noticed_at_the_first_event(
    server: Server,
) -> None:
    ann = server.visitor("ann")
    page = ann.open()

    async with ann.line(page) as line:
        server.control("expire", "ann")
        await line.say("event", page.event("Press"))
        await line.settle()

    assert (server.done == ["press by ann"]) is not server.is_guarded


async def test_a_page_is_sent_to_sign_in_when_its_session_ends(guarded: Server) -> None:
    ann = guarded.visitor("ann")
    page = ann.open()

    async with ann.line(page) as line:
        guarded.control("end", "ann")

        assert "/sign-in?next=/studio/press" in await line.hears('"open"')
        await line.hears("41")


async def test_a_page_of_an_ended_session_cannot_come_back(guarded: Server) -> None:
    ann = guarded.visitor("ann")
    page = ann.open()

    async with ann.line(page):
        pass
    guarded.control("end", "ann")
    guarded.control("revive", "ann")

    await until(lambda: page.client_id not in guarded.state()["sockets"])
    async with ann.line(page) as line:
        assert not line.is_accepted


async def test_ending_one_session_leaves_the_others(guarded: Server) -> None:
    bob = guarded.visitor("bob")
    page = bob.open()

    async with bob.line(page) as line:
        guarded.control("end", "ann")
        await line.say("event", page.event("Press"))

        await until(lambda: guarded.done == ["press by bob"])


async def test_the_database_is_asked_once_for_many_events(guarded: Server) -> None:
    ann = guarded.visitor("ann")
    page = ann.open()
    asked = guarded.state()["asked"]

    async with ann.line(page) as line:
        for number in range(20):
            await line.say("event", page.event("Words", "update:value", str(number)))
        await until(lambda: len(guarded.done) == 20)

    assert guarded.done == [f"words {number} by ann" for number in range(20)]
    assert guarded.state()["asked"] == asked + 1


async def test_without_a_database_nothing_is_done_and_the_page_says_so(guarded: Server) -> None:
    ann = guarded.visitor("ann")
    page = ann.open()

    async with ann.line(page) as line:
        guarded.control("database", "down")
        await line.say("event", page.event("Press"))

        assert "The database does not answer." in await line.hears("notify")
    assert guarded.done == []


ATTACHED = '451-["event",{"_placeholder":true,"num":0}]'
"""It makes Socket.IO take the next frame for its attachment."""

MALFORMED = [
    '42["event"]',
    '42["event",null]',
    '42["event",{}]',
    '42["event",{"client_id":[]}]',
    '42["ack",{"client_id":"CLIENT","next_message_id":"x"}]',
    '42["event",{"client_id":"CLIENT","id":"x","listener_id":[],"args":{}}]',
    '42["event",{"client_id":"CLIENT","id":0,"listener_id":"no","args":["{"]}]',
    '42["javascript_response",{"client_id":"CLIENT","request_id":{}}]',
    '42["handshake",{"client_id":"CLIENT"}]',
    '42[["event"],{}]',
    "42{",
    '42{"a":1}',
    "45-",
    ATTACHED,
    '4{"a":1}',
    "48",
    "44",
]


async def test_malformed_frames_leave_a_line_not_a_flood(server: Server) -> None:
    ann = server.visitor("ann")
    page = ann.open()
    before = server.lines()

    async with ann.line(page) as line:
        for frame in MALFORMED * 5:
            await line.socket.send(frame.replace("CLIENT", page.client_id))
        await line.settle()
        await line.say("event", page.event("Press"))
        await until(lambda: server.done == ["press by ann"])

    assert (server.lines() - before < 20) is server.is_guarded


@pytest.mark.parametrize("frame", ["", "x", "b!", "\x00", "2" * 10, b"bytes", ATTACHED])
async def test_a_frame_of_no_known_kind_leaves_the_socket_working(
    guarded: Server, frame: str | bytes
) -> None:
    ann = guarded.visitor("ann")
    page = ann.open()

    async with ann.line(page) as line:
        await line.socket.send(frame)
        await line.say("event", page.event("Press"))

        await until(lambda: guarded.done == ["press by ann"])


async def test_a_frame_that_breaks_the_parser_leaves_no_traceback(server: Server) -> None:
    ann = server.visitor("ann")
    before = server.log.read_text()

    async with ann.line() as line:
        await line.socket.send("x")
        with suppress(ConnectionClosed):
            await line.settle()

    def has_traceback() -> bool:
        return "Traceback" in server.log.read_text().removeprefix(before)

    if not server.is_guarded:
        await until(has_traceback)
    assert has_traceback() is not server.is_guarded


async def test_a_broken_handshake_leaves_no_page_in_memory_for_ever(server: Server) -> None:
    """NiceGUI counts a socket whose handshake then fails, and waits for it without end."""
    ann = server.visitor("ann")
    page = ann.open()

    async with ann.line(page, next_message_id="x", patience=0.3):
        pass
    await asyncio.sleep(0.1)

    counted = server.state()["sockets"].get(page.client_id)
    assert (counted == 1) is not server.is_guarded


async def test_values_of_the_wrong_kind_do_not_fill_the_log(server: Server) -> None:
    ann = server.visitor("ann")
    page = ann.open()
    before = server.log.read_text()

    async with ann.line(page) as line:
        for _ in range(60):
            await line.say("event", page.event("Count", "update:modelValue", "words"))
            await line.say("event", page.event("Count", "update:modelValue", 1))
        await line.say("event", page.event("Press"))
        await until(lambda: "press by ann" in server.done)

    tracebacks = server.log.read_text().removeprefix(before).count("Traceback")
    assert (tracebacks <= 10) is server.is_guarded


async def test_a_client_cannot_write_into_the_log(server: Server) -> None:
    ann = server.visitor("ann")
    page = ann.open()
    forged = "fine\n2026-01-01 root signed in"

    async with ann.line(page) as line:
        entry = {"client_id": page.client_id, "level": "error", "message": forged}
        await line.say("log", entry)
        await line.settle()

    assert (forged in server.log.read_text()) is not server.is_guarded


async def test_a_client_cannot_call_connect_by_its_name(server: Server) -> None:
    """42["connect", …] reaches NiceGUI's connect handler with an environment of one's own."""
    ann = server.visitor("ann")
    page = ann.open()
    wish = f"implicit_handshake=true&client_id={page.client_id}&tab_id=t&document_id=d"

    async with ann.line() as line:
        await line.say("connect", {"QUERY_STRING": wish})
        await line.settle()
        await line.say("event", page.event("Press"))
        await line.settle()

    assert (server.done == ["press by ann"]) is not server.is_guarded


async def test_a_flood_waits_in_its_own_buffers(server: Server) -> None:
    ann = server.visitor("ann")
    page = ann.open()
    event = f"42{json.dumps(['event', page.event('Press')])}"

    async with ann.line(page) as line:
        for _ in range(2000):
            await line.socket.send(event)
        if not server.is_guarded:
            await until(lambda: len(server.done) == 2000)

        assert (len(server.done) < 1000) is server.is_guarded


async def test_one_address_gets_forty_sockets(server: Server) -> None:
    ann = server.visitor("ann")

    async with AsyncExitStack() as doors:
        lines: list[Line] = []
        with suppress(InvalidStatus):
            while len(lines) < 45:
                lines.append(await doors.enter_async_context(ann.line()))
        async with server.visitor("bob").line() as line:
            is_open_for_others = line.is_accepted

    assert len(lines) == (40 if server.is_guarded else 45)
    assert is_open_for_others


async def test_a_socket_that_closes_makes_room_for_another(guarded: Server) -> None:
    ann = guarded.visitor("ann")

    for _ in range(60):
        async with ann.line() as line:
            await line.socket.close()
            assert line.is_accepted


async def test_a_client_id_is_in_no_log(server: Server) -> None:
    ann = server.visitor("ann")
    page = ann.open()

    async with ann.line(page) as line:
        await line.settle()

    assert (page.client_id in server.log.read_text()) is not server.is_guarded
