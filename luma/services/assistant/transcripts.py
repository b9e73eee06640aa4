"""What is said in a video, out of subtitles (SRT, VTT) or text that somebody pasted."""

import re

LONGEST_PASTED = 300_000
PARAGRAPH = 400

_TIMING = re.compile(r"^\s*(\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3}\s*-->.*$")
_STAMP = re.compile(r"^\s*[\[(]?(\d{1,3}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?[\])]?\s*[-–:]?\s*")
_TAG = re.compile(r"<[^<>]{0,80}>|\{\\[^{}]{0,40}\}")
_BLOCK = re.compile(r"^(WEBVTT|NOTE|STYLE|REGION)\b")


def plain(pasted: str) -> str:
    """Without times, cue numbers and marks. Plain text stays as it is; twice changes nothing."""
    lines = pasted.removeprefix("\ufeff").split("\n")
    if any(map(_TIMING.match, lines)):
        return _flowing(_cues(lines))
    return "\n".join(kept for line in lines if (kept := _STAMP.sub("", line)) or not line.strip())


def _cues(lines: list[str]) -> list[str]:
    """Rolling captions say each line twice or more: only the first is kept."""
    said: list[str] = []
    is_told = False
    for number, line in enumerate(lines):
        if not line.strip():
            is_told = False
        elif _BLOCK.match(line) and (number == 0 or not lines[number - 1].strip()):
            is_told = True
        elif not is_told and not _TIMING.match(line) and not _is_cue_number(lines, number):
            words = " ".join(_TAG.sub("", line).split())
            if words and words not in said[-2:]:
                said.append(words)
    return said


def _is_cue_number(lines: list[str], number: int) -> bool:
    following = lines[number + 1] if number + 1 < len(lines) else ""
    return bool(_TIMING.match(following))


def _flowing(said: list[str]) -> str:
    """Paragraphs that end with a sentence, so that they can be read."""
    paragraphs, open_ = [], ""
    for words in said:
        open_ = f"{open_} {words}".strip()
        if len(open_) > PARAGRAPH and open_[-1] in ".!?。！？":
            paragraphs.append(open_)
            open_ = ""
    return "\n\n".join([*paragraphs, open_] if open_ else paragraphs)
