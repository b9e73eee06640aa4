"""Pages as a visitor's browser meets them: bytes, requests, main thread, what is visible when."""

import json
import shutil
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from tests.bench import seed
from tests.bench.processes import Served
from tests.browser.chromium import QUIET

NOWHERE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
"""Pictures of videos are not fetched: what others serve is not measured here."""

SETTLE = 1200
"""Milliseconds after `load` in which late requests still count."""

WATCH = """
window.bench = { seen: null, shift: 0 };
window.benchSees = ({ selector, text }) => [...document.querySelectorAll(selector)].some((one) => {
  const box = one.getBoundingClientRect();
  return box.width && box.height && getComputedStyle(one).visibility !== "hidden"
    && one.textContent.includes(text);
});
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) bench.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
const look = () => {
  if (benchSees(WANTED)) bench.seen = performance.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""

CLICK = """([selector, wanted]) => new Promise((resolve) => {
  const begun = performance.now();
  document.querySelector(selector).click();
  const look = () => {
    if (benchSees(wanted)) resolve(performance.now() - begun);
    else requestAnimationFrame(look);
  };
  look();
})"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a visitor came for: shown, with this text in it."""

    selector: str
    text: str = ""

    def script(self) -> dict[str, str]:
        return {"selector": self.selector, "text": self.text}


@dataclass(frozen=True, slots=True)
class Visit:
    requests: int
    kilobytes: float
    script_kilobytes: float
    main_thread_ms: float
    visible_ms: float
    shift: float
    server_ms: float


@dataclass
class Wire:
    """What went over the network for one page, pictures aside."""

    line: CDPSession
    kinds: dict[str, str] = field(default_factory=dict)
    cached: set[str] = field(default_factory=set)
    sizes: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.line.send("Network.enable")
        self.line.send("Performance.enable", {"timeDomain": "threadTicks"})
        self.line.on("Network.requestWillBeSent", self._asked)
        self.line.on("Network.responseReceived", self._answered)
        self.line.on("Network.requestServedFromCache", lambda e: self.cached.add(e["requestId"]))
        self.line.on("Network.loadingFinished", self._finished)

    def forget(self) -> None:
        self.sizes.clear()

    def kilobytes(self, kind: str = "") -> float:
        return sum(s for r, s in self.sizes.items() if kind in ("", self.kinds[r])) / 1024

    def main_thread_ms(self) -> float:
        metrics = self.line.send("Performance.getMetrics")["metrics"]
        return 1000 * float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))

    def _asked(self, event: dict[str, Any]) -> None:
        self.kinds[event["requestId"]] = event.get("type", "Other")

    def _answered(self, event: dict[str, Any]) -> None:
        self.kinds[event["requestId"]] = event.get("type", "Other")
        if event["response"].get("fromDiskCache"):
            self.cached.add(event["requestId"])

    def _finished(self, event: dict[str, Any]) -> None:
        request = event["requestId"]
        if request not in self.cached and self.kinds.get(request) != "Image":
            self.sizes[request] = int(event["encodedDataLength"])


@dataclass
class Tab:
    """A browser of its own, with an empty cache."""

    page: Page
    wire: Wire
    served: Served

    def visit(self, path: str) -> Visit:
        self.wire.forget()
        busy, cpu = self.wire.main_thread_ms(), self.served.cpu()
        self.page.goto(self.served.url + path, wait_until="load")
        self.page.wait_for_function("bench.seen !== null")
        self.page.wait_for_timeout(SETTLE)
        seen = self.page.evaluate("bench")
        spent = self.wire.main_thread_ms()
        return Visit(
            requests=len(self.wire.sizes),
            kilobytes=self.wire.kilobytes(),
            script_kilobytes=self.wire.kilobytes("Script"),
            main_thread_ms=spent - busy if spent >= busy else spent,
            visible_ms=seen["seen"],
            shift=seen["shift"],
            server_ms=(self.served.cpu() - cpu) * 1000,
        )

    def click(self, selector: str, wanted: Wanted) -> float:
        """Milliseconds until `wanted` is shown, without leaving the page."""
        return float(self.page.evaluate(CLICK, [selector, wanted.script()]))


@contextmanager
def chromium() -> Iterator[Browser]:
    system = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system, args=[*QUIET, NOWHERE])
        yield browser
        browser.close()


@contextmanager
def tab(
    browser: Browser, served: Served, wanted: Wanted, email: str | None = None
) -> Iterator[Tab]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    if email:
        context.add_cookies([{"name": "luma", "value": seed.token(email), "url": served.url}])
    page = context.new_page()
    page.add_init_script(WATCH.replace("WANTED", json.dumps(wanted.script())))
    yield Tab(page, Wire(context.new_cdp_session(page)), served)
    context.close()


def median(values: list[Visit], of: Callable[[Visit], float]) -> float:
    return statistics.median(of(value) for value in values)


def is_readable_without_scripts(browser: Browser, served: Served, path: str, text: str) -> bool:
    context: BrowserContext = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(served.url + path)
    found = page.get_by_text(text).first.is_visible()
    context.close()
    return found
