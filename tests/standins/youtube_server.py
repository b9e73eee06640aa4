"""A stand-in for YouTube's frame: `python -m tests.standins.youtube_server`. Prints its origin.

Its page at /embed/{id} speaks the messages of the IFrame protocol and plays nothing. An id that
ends in digits has that length in seconds (`thisis00012` has 12), others have ten minutes; an
id that starts with `dead` answers with an error. /asked lists the embeds that were opened.
"""

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PAGE = """<!doctype html><title>Player</title><body style="margin:0;background:#222;color:#eee">
<p id="shown"></p><script>
const settings = __SETTINGS__;
const parent_ = settings.origin;
let time = settings.start, state = -1, rate = 1, muted = false, heard = false, last = 0;

function say(event, info) {
  if (!heard) return;
  const message = JSON.stringify({ event, info, id: 1, channel: "widget" });
  parent.postMessage(message, parent_);
}
function deliver(event = "infoDelivery") {
  const { length: duration } = settings;
  say(event, { currentTime: time, duration, playerState: state, playbackRate: rate, muted });
}
function turn(next) {
  if (state === next) return;
  state = next;
  last = performance.now();
  say("onStateChange", next);
  deliver();
}
setInterval(() => {
  document.getElementById("shown").textContent = `${state} ${time.toFixed(1)} ${rate} ${muted}`;
  if (state !== 1) return;
  const now = performance.now();
  time = Math.min(settings.length, time + ((now - last) / 1000) * rate);
  last = now;
  if (time >= settings.length) turn(0);
  else deliver();
}, 250);

const commands = {
  playVideo() { if (state === 0) time = settings.start; turn(1); },
  pauseVideo() { turn(2); },
  seekTo(seconds) {
    time = Math.max(0, Math.min(settings.length, seconds));
    last = performance.now();
    deliver();
  },
  setPlaybackRate(wanted) { rate = wanted; say("onPlaybackRateChange", rate); deliver(); },
  mute() { muted = true; deliver(); },
  unMute() { muted = false; deliver(); },
  addEventListener() {},
};
addEventListener("message", ({ data, origin }) => {
  if (origin !== parent_ || typeof data !== "string") return;
  const { event, func, args = [] } = JSON.parse(data);
  if (event === "listening") {
    if (heard) return;
    heard = true;
    if (settings.dead) return say("onError", 150);
    say("onReady", null);
    deliver("initialDelivery");
    if (settings.autoplay) { turn(3); setTimeout(() => turn(1), 50); }
  } else if (event === "command") commands[func]?.(...args);
});
</script>"""

asked: list[dict[str, str | None]] = []


class Frame(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        address = urlsplit(self.path)
        embed = re.fullmatch(r"/embed/([A-Za-z0-9_-]{11})", address.path)
        if address.path == "/asked":
            self._answer(json.dumps(asked), "application/json")
        elif embed is None:
            self.send_error(404)
        else:
            wishes = {name: values[-1] for name, values in parse_qs(address.query).items()}
            asked.append({"id": embed[1], "referrer": self.headers.get("Referer"), **wishes})
            self._answer(PAGE.replace("__SETTINGS__", json.dumps(_settings(embed[1], wishes))))

    def _answer(self, text: str, kind: str = "text/html") -> None:
        content = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_said: object) -> None:
        return


def _settings(video: str, wishes: dict[str, str]) -> dict[str, object]:
    length = re.search(r"[0-9]+$", video)
    return {
        "origin": wishes.get("origin", ""),
        "start": float(wishes.get("start", "0")),
        "autoplay": wishes.get("autoplay") == "1",
        "length": int(length[0]) if length else 600,
        "dead": video.startswith("dead"),
    }


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Frame)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
