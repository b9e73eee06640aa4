"""A stand-in for OpenRouter: `python -m tests.standins.openrouter_server`. Prints its origin.

It answers POST /api/v1/chat/completions with server-sent events over real HTTP. What it does next
is told beforehand: POST /control with a list of behaviours, used up one per question; after the
last it streams SUMMARY. GET /control tells what it was asked, DELETE forgets everything.

A behaviour is a JSON object with `kind`: stream, stall, cut, status, html, malformed, error, whole
(all in one piece, without a bill), analysis, endless. `text` is what it says, `cost` in dollars,
`status` and `retry_after` for refusals, `pause` the seconds between pieces.
"""

import json
import re
import sys
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SUMMARY = "Flour is ground grain. It holds the loaf together.\n\nChoose one that suits the bread."
COST = 0.0004
HTML = b"<!doctype html><title>502</title><h1>Bad gateway</h1><script>alert(1)</script>"


class Account:
    """What was asked, what comes next, and what each answer has cost so far."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.next: deque[dict[str, Any]] = deque()
        self.costs: dict[str, float] = {}
        self.looked_up: list[str] = []

    def behaviour(self, question: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        with self.lock:
            self.asked.append(question)
            told = self.next.popleft() if self.next else {"kind": "stream"}
            return f"gen-{len(self.asked)}", told


account = Account()


class OpenRouter(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/control":
            asked = {"asked": account.asked, "looked_up": account.looked_up}
            self._answer(200, json.dumps(asked).encode())
        elif address.path == "/api/v1/generation":
            self._tell_cost(parse_qs(address.query).get("id", [""])[0])
        else:
            self._answer(404, b"{}")

    def do_DELETE(self) -> None:
        account.forget()
        self._answer(200, b"{}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/control":
            account.next.extend(json.loads(body))
            self._answer(200, b"{}")
            return
        question = {"headers": dict(self.headers), "body": json.loads(body)}
        name, told = account.behaviour(question)
        self.told = question["body"]["messages"][-1]["content"]
        getattr(self, f"_{told['kind']}")(name, told, question["body"]["model"])

    # How it behaves

    def _stream(self, name: str, told: dict[str, Any], model: str) -> None:
        self._begin()
        self._say(": OPENROUTER PROCESSING\n\n")
        for piece in _pieces(str(told.get("text", SUMMARY))):
            self._event(name, model, {"delta": {"content": piece}})
            time.sleep(float(told.get("pause", 0)))
        self._event(name, model, {"delta": {"content": ""}, "finish_reason": "stop"})
        usage = {"prompt_tokens": 120, "completion_tokens": 40, "cost": told.get("cost", COST)}
        self._event(name, model, None, usage=usage)
        self._say("data: [DONE]\n\n")
        self._end()

    def _whole(self, name: str, told: dict[str, Any], model: str) -> None:
        self._begin()
        account.costs[name] = told.get("cost", COST)
        choice = {"delta": {"content": told.get("text", SUMMARY)}, "finish_reason": "stop"}
        self._event(name, model, choice)
        self._end()

    def _cut(self, name: str, told: dict[str, Any], model: str) -> None:
        """The connection ends in the middle of a sentence. /generation knows what it cost."""
        account.costs[name] = told.get("cost", COST)
        self._begin()
        self._event(name, model, {"delta": {"content": "Flour is gro"}})
        self.close_connection = True
        if told.get("politely"):
            self._end()

    def _stall(self, name: str, told: dict[str, Any], model: str) -> None:
        account.costs[name] = told.get("cost", COST)
        self._begin()
        self._event(name, model, {"delta": {"content": "Flour"}})
        time.sleep(float(told.get("pause", 5)))
        self.close_connection = True

    def _silence(self, _name: str, told: dict[str, Any], _model: str) -> None:
        """Not even a status."""
        time.sleep(float(told.get("pause", 5)))
        self.close_connection = True

    def _status(self, _name: str, told: dict[str, Any], _model: str) -> None:
        status = int(told["status"])
        error = json.dumps({"error": {"code": status, "message": "<b>no</b>"}}).encode()
        headers = {"Retry-After": str(told["retry_after"])} if "retry_after" in told else {}
        self._answer(status, error, headers=headers)

    def _html(self, _name: str, told: dict[str, Any], _model: str) -> None:
        self._answer(int(told.get("status", 200)), HTML, kind="text/html")

    def _malformed(self, _name: str, _told: dict[str, Any], _model: str) -> None:
        self._begin()
        self._say('data: {"id": "gen-x", "choices": [{"delta"\n\n')
        self._end()

    def _analysis(self, name: str, told: dict[str, Any], model: str) -> None:
        """`answer`, in which "~words" stands for the id of the row that says these words."""

        def cited(found: re.Match[str]) -> str:
            return next(
                (row["id"] for row in _rows(self.told) if found[1] in json.dumps(row)), "nobody"
            )

        text = re.sub(r"~([^\"]+)", cited, json.dumps(told["answer"]))
        self._stream(name, {**told, "text": text}, model)

    def _error(self, name: str, told: dict[str, Any], model: str) -> None:
        account.costs[name] = told.get("cost", COST)
        self._begin()
        self._event(name, model, {"delta": {"content": "Flour is"}})
        fault = {"id": name, "error": {"code": 502, "message": "provider gone"}, "choices": []}
        self._say(f"data: {json.dumps(fault)}\n\n")
        self._end()

    def _endless(self, name: str, _told: dict[str, Any], model: str) -> None:
        """One line that never ends."""
        self._begin()
        account.costs[name] = COST
        try:
            for _ in range(100_000):
                self._say("x" * 65_536)
        except OSError:
            self.close_connection = True

    def _raw(self, _name: str, told: dict[str, Any], _model: str) -> None:
        """Whatever the test says, as events."""
        self._begin()
        for line in told["lines"]:
            self._say(f"data: {line}\n\n")
        self._end()

    # The protocol

    def _tell_cost(self, name: str) -> None:
        account.looked_up.append(name)
        if name not in account.costs:
            self._answer(404, b'{"error": {"code": 404, "message": "not there"}}')
            return
        data = {"total_cost": account.costs[name], "tokens_prompt": 120, "tokens_completion": 3}
        self._answer(200, json.dumps({"data": {"id": name, "model": "cut", **data}}).encode())

    def _event(self, name: str, model: str, choice: dict[str, Any] | None, **more: object) -> None:
        event = {"id": name, "model": model, "choices": [choice] if choice else [], **more}
        self._say(f"data: {json.dumps(event)}\n\n")

    def _begin(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _say(self, text: str) -> None:
        content = text.encode("utf-8", "surrogatepass")
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()

    def _end(self) -> None:
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _answer(
        self,
        status: int,
        content: bytes,
        *,
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_said: object) -> None:
        return

    def handle(self) -> None:
        """Who hangs up in the middle is no fault of ours."""
        try:
            super().handle()
        except OSError:
            self.close_connection = True


def _pieces(text: str) -> list[str]:
    """A few letters at a time, as models speak."""
    return [text[at : at + 7] for at in range(0, len(text), 7)]


def _rows(told: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in told.split("\n") if line.startswith("{")]


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), OpenRouter)
    server.daemon_threads = True
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
