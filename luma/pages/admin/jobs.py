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
    "assistant.settle_lost": "Give back what a lost question to the AI had set aside",
    "assistant.summarise": "Summarise the lessons of a course",
    "accounts.forget_old": "Forget old sessions and attempts",
    "catalogue.look": "See whether a course is for sale at the payment gateway",
    "catalogue.look_at_all": "See whether all courses are for sale at the payment gateway",
    "catalogue.sync": "Bring a course to the payment gateway",
    "checkout.close": "Close a checkout at the payment gateway",
    "failures.forget_old": "Forget why finished jobs failed",
    "inbox.apply": "Apply an event of the payment gateway",
    "identity_inbox.apply": "Apply an event of the sign-in provider",
    "identity_inbox.sweep": "Look for events of the sign-in provider that wait",
    "identity_visits.forget_old": "Forget sign-ins that were left half-way",
    "inbox.sweep": "Look for events that wait",
    "letters.forget_old": "Forget letters that were sent long ago",
    "letters.send": "Send a letter",
    "letters.course_open": "Tell a buyer that the course is open",
    "money.check_endpoints": "Look where the payment gateway sends its events",
    "money.compare": "Compare all money with the payment gateway",
    "money.pull": "Read the payment gateway’s list of events",
    "refusals.forget_old": "Forget refused deliveries",
    "queue.pick_up_stalled": "Pick up what a stopped worker had in hand",
    "coupons.sync": "Bring coupons to the payment gateway",
    "payees.refresh": "Ask how an instructor's account at the gateway stands",
    "payees.refresh_all": "Ask how all instructors' accounts stand",
    "refunds.return_double": "Give back what was paid twice",
    "refunds.send": "Ask the payment gateway for a refund",
    "rehearsals.play": "Go on with the rehearsal of a sale",
    "sandbox.deliver": "Deliver an event of the sandbox",
    "transfers.plan": "Look for what instructors are due",
    "transfers.plan_for": "Write down what an instructor is due",
    "transfers.send": "Send an instructor their share, or take it back",
}


@page(router, "/admin/jobs", "Jobs · Admin")
async def failed() -> None:
    async def read() -> Mapping[str, object]:
        return {"failures": await act(jobs.failures), "tasks": TASKS}

    acts = {"run-again": _run_again, "put-away": _put_away, "apply-again": _apply_again}
    await section.show("jobs", read, acts)


async def _run_again(wish: Wish) -> str:
    await act(jobs.run_again, wish.thing)
    return "The job is back in the queue."


async def _put_away(wish: Wish) -> str:
    await act(jobs.put_away, wish.thing)
    return "The job is put away. The log keeps that it was there."


async def _apply_again(wish: Wish) -> str:
    await act(jobs.apply_again, wish.thing)
    return "The event is tried again."
