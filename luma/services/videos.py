"""YouTube addresses: from any of their usual forms to an id and a second. Nothing is fetched."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, urlsplit

from luma.errors import RuleBroken

LONGEST_ADDRESS = 2_000
LATEST_START = 360_000

HOSTS = frozenset({"youtube.com", "youtube-nocookie.com"})
SHORT_HOST = "youtu.be"
FOLDERS = frozenset({"shorts", "embed", "live", "v", "e", "watch"})

NOT_YOUTUBE = "Paste the address of a YouTube video, such as https://youtu.be/M7lc1UVf-VE."
NO_VIDEO = "This address leads to no single video. Open the video on YouTube and copy its address."
ONLY_A_LIST = "This is a playlist. Open one of its videos and copy that address."


@dataclass(frozen=True, slots=True)
class Video:
    id: str
    start: int
    """Second at which it begins."""

    @property
    def address(self) -> str:
        """For people: the short form."""
        return f"https://youtu.be/{self.id}" + (f"?t={self.start}" if self.start else "")


def read(text: str) -> Video:
    """Raises RuleBroken with a sentence for whoever pasted it."""
    pasted = text.strip()
    if len(pasted) > LONGEST_ADDRESS:
        raise RuleBroken(NOT_YOUTUBE)
    if re.fullmatch(r"[A-Za-z0-9_-]{11}", pasted):
        return Video(pasted, 0)
    address = _address_in(pasted)
    return Video(_id_in(address), _start_in(address))


def _address_in(pasted: str) -> SplitResult:
    """An address with its scheme or without, or the code YouTube gives for embedding."""
    if framed := re.search(r"<iframe[^>]*\ssrc=[\"']([^\"']+)[\"']", pasted, re.IGNORECASE):
        pasted = framed[1].replace("&amp;", "&")
    if pasted.startswith("//"):
        pasted = f"https:{pasted}"
    if "://" not in pasted:
        pasted = f"https://{pasted}"
    try:
        address = urlsplit(pasted)
        is_plain = address.scheme in ("http", "https") and not address.username
    except ValueError:
        is_plain = False
    if not is_plain or re.search(r"[\s\x00-\x1f<>\"\\]", pasted):
        raise RuleBroken(NOT_YOUTUBE)
    return address


def _id_in(address: SplitResult) -> str:
    host = (address.hostname or "").removeprefix("www.")
    for subdomain in ("m.", "music."):
        host = host.removeprefix(subdomain)
    parts = [part for part in address.path.split("/") if part]
    query = parse_qs(address.query)
    if host == SHORT_HOST:
        found = parts[0] if parts else ""
    elif host in HOSTS:
        found = _id_at_youtube(parts, query)
    else:
        raise RuleBroken(NOT_YOUTUBE)
    if not re.fullmatch(r"[A-Za-z0-9_-]{11}", found):
        raise RuleBroken(ONLY_A_LIST if "list" in query else NO_VIDEO)
    return found


def _id_at_youtube(parts: list[str], query: dict[str, list[str]]) -> str:
    if "v" in query:
        return query["v"][0]
    if len(parts) >= 2 and parts[0] in FOLDERS and parts[1] != "videoseries":
        return parts[1]
    return ""


def _start_in(address: SplitResult) -> int:
    """Seconds from t=90, t=1m30s, start=90 or #t=90; 0 when none of them says."""
    said = parse_qs(address.query) | parse_qs(address.fragment)
    for name in ("t", "start", "time_continue"):
        if name in said and (seconds := _seconds(said[name][0])) is not None:
            return min(seconds, LATEST_START)
    return 0


def _seconds(text: str) -> int | None:
    match = re.fullmatch(
        r"(?:(\d{1,3})h)?(?:(\d{1,4})m)?(?:(\d{1,6})s?)?", text.strip().lower(), re.ASCII
    )
    if match is None or not any(match.groups()):
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds
