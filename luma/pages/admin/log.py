"""Who did what: `/admin/log`, the newest first."""

import json
from collections.abc import Iterator, Mapping

from nicegui import APIRouter

from luma.pages import section
from luma.pages.feedback import page
from luma.pages.session import act
from luma.services.admin import log
from luma.services.admin.log import Entry

router = APIRouter()

ACTS = {
    "course.hide": "Hid the course",
    "course.unhide": "Showed the course again",
    "endpoint.create": "Created a webhook endpoint",
    "endpoint.repair": "Repaired a webhook endpoint",
    "event.apply_again": "Had an event applied again",
    "job.put_away": "Put a failed job away",
    "job.run_again": "Ran a job again",
    "mail.send_again": "Sent a letter again",
    "order.reconcile": "Asked the gateway about an order",
    "order.give_access": "Gave access by hand",
    "order.refund": "Refunded an order",
    "coupon.create": "Made a coupon",
    "coupon.end": "Ended a coupon",
    "payee.change": "An instructor's account at the gateway changed",
    "transfer.retry": "Had a payout tried again",
    "payout.mark_paid": "Marked a payout as paid",
    "order.take_access": "Took back access by hand",
    "review.dismiss_reports": "Let a review stand",
    "review.hide": "Hid a review",
    "review.show_again": "Showed a review again",
    "user.delete_own": "Deleted their own account",
    "user.disable": "Disabled the account",
    "user.enable": "Enabled the account",
    "user.grant_role": "Gave a role",
    "user.sign_out": "Signed out everywhere",
    "user.take_role": "Took a role",
    "user.unlink": "Unlinked a sign-in provider",
    "user.verify_again": "Sent the confirmation again",
}


@page(router, "/admin/log", "Log · Admin")
async def every_act(who: str = "", what: str = "") -> None:
    growing = section.Growing()

    async def read() -> Mapping[str, object]:
        found = await act(log.entries, who, what, growing.most)
        return {"who": who, "what": what, "log": found, "in_words": in_words, "changes": changes}

    await section.show("log", read, {"more": growing.grow})


def in_words(act: str) -> str:
    subject, _, verb = act.partition(".")
    return ACTS.get(act) or f"{subject}: {verb}".replace("_", " ").capitalize()


def changes(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """What changed: its name, how it was, how it is."""
    for name in dict.fromkeys([*entry.before, *entry.after]):
        was, is_now = _plain(entry.before, name), _plain(entry.after, name)
        if was != is_now:
            yield name.replace("_", " "), was, is_now


def _plain(facts: Mapping[str, object], name: str) -> str:
    value = facts.get(name)
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
