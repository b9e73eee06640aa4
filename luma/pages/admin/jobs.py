"""What LUMA could not do by itself: `/admin/jobs`. Why, and once more."""

from collections.abc import Mapping

from nicegui import APIRouter

from luma.pages import section
from luma.pages.components.board import Wish
from luma.pages.feedback import page
from luma.pages.session import act
from luma.services.admin import jobs

router = APIRouter()

TASKS = {
    "accounts.write_reset": "Write to somebody who forgot the password",
    "accounts.forget_old": "Forget old sessions and attempts",
    "catalogue.sync": "Bring a course to the payment gateway",
    "checkout.close": "Close a checkout at the payment gateway",
    "failures.forget_old": "Forget why finished jobs failed",
    "inbox.apply": "Apply an event of the payment gateway",
    "identity_inbox.apply": "Apply an event of the sign-in provider",
    "inbox.sweep": "Look for events that wait",
    "letters.forget_old": "Forget letters that were sent long ago",
    "letters.send": "Send a letter",
    "letters.course_open": "Tell a buyer that the course is open",
    "queue.pick_up_stalled": "Pick up what a stopped worker had in hand",
    "sandbox.deliver": "Deliver an event of the sandbox",
}


@page(router, "/admin/jobs", "Jobs · Admin")
async def failed() -> None:
    async def read() -> Mapping[str, object]:
        return {"failures": await act(jobs.failures), "tasks": TASKS}

    await section.show("jobs", read, {"run-again": _run_again, "apply-again": _apply_again})


async def _run_again(wish: Wish) -> str:
    await act(jobs.run_again, wish.thing)
    return "The job is back in the queue."


async def _apply_again(wish: Wish) -> str:
    await act(jobs.apply_again, wish.thing)
    return "The event is tried again."
