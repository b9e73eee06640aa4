"""Each address: with whose things in it, and who gets in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.matrix.world import ADMIN, OWNER, RIVAL, ROLES, STUDENT, World

VISITOR = "visitor"

ALL = frozenset({VISITOR, *ROLES})
SIGNED_IN = frozenset(ROLES)
NOBODY: frozenset[str] = frozenset()
TEACHERS = frozenset({OWNER, RIVAL})
ADMINS = frozenset({ADMIN})
ITS_OWNER = frozenset({OWNER})
ITS_SELLERS = frozenset({OWNER, ADMIN})
ITS_STUDENT = frozenset({STUDENT})

REFUSED = frozenset({401, 403, 404})
OVER = frozenset({404, 409})
UNDISPUTED = REFUSED | {409}
"""A visit that is not there any more."""


@dataclass(frozen=True)
class Door:
    """`allowed` get in; all others are refused, or led to sign in if nobody is signed in.

    What changes something is only tried by those who are refused. `place` fills in what the
    address names, beyond what `PLACES` says.
    """

    allowed: frozenset[str]
    place: Callable[[World], Mapping[str, str]] = lambda _: {}
    form: Mapping[str, str] | None = None
    json: Mapping[str, object] | None = None
    refused: frozenset[int] = REFUSED
    never_ends: bool = False
    of_a_sale: bool = False


def places(world: World) -> Mapping[str, str]:
    """The owner's and the student's things, by the names that addresses give them."""
    return {
        "account_id": "acct_sbx_nothing",
        "course": world.course,
        "key": world.letter,
        "lesson": world.lesson,
        "letter": "A",
        "name": "nobody",
        "order": world.order,
        "place": world.slug,
        "public_id": "img_nothing",
        "review": world.review,
        "session_id": "cs_sbx_nothing",
        "slug": world.slug,
        "token": "nothing",
        "visit_id": "nothing",
        "what": "pay",
    }


def by_slug(world: World) -> Mapping[str, str]:
    return {"course": world.slug}


ADMIN_PAGE = (Door(ADMINS),)
MY_PAGE = (Door(SIGNED_IN),)
OPEN = (Door(ALL),)

DOORS: dict[str, tuple[Door, ...]] = {
    # For everybody
    "GET /": OPEN,
    "GET /courses/{slug}": (Door(ALL), Door(ITS_OWNER, lambda w: {"slug": w.draft_slug})),
    "GET /covers/{letter}.png": OPEN,
    "GET /healthz": OPEN,
    "GET /images/{public_id}": (Door(NOBODY),),
    "GET /instructors/{slug}": (Door(NOBODY, lambda _: {"slug": "nobody"}),),
    "GET /readyz": OPEN,
    "GET /robots.txt": OPEN,
    "GET /sitemap.xml": OPEN,
    "GET /static/{name}": (Door(ALL, lambda _: {"name": "luma.css"}),),
    # Ways in and out
    "GET /sign-in": OPEN,
    "POST /sign-in": OPEN,
    "GET /sign-in/again": MY_PAGE,
    "POST /sign-in/again": MY_PAGE,
    "POST /sign-in/again/linked": MY_PAGE,
    "GET /sign-in/code": (Door(NOBODY),),
    "POST /sign-in/code": (Door(NOBODY, form={"code": "123456"}),),
    "GET /sign-in/first/{visit_id}": (Door(NOBODY, refused=OVER),),
    "POST /sign-in/first/{visit_id}": (
        Door(NOBODY, refused=OVER, form={"name": "A", "role": "student"}),
    ),
    "GET /sign-in/join/{visit_id}": (Door(NOBODY, refused=OVER),),
    "POST /sign-in/join/{visit_id}": (Door(NOBODY, refused=OVER, form={"password": "x"}),),
    "GET /sign-in/with/{name}": (Door(NOBODY),),
    "POST /sign-in/with/{name}": (Door(NOBODY),),
    "GET /sign-in/with/{name}/back": (Door(NOBODY),),
    "POST /sign-out": OPEN,
    "GET /sign-up": OPEN,
    "POST /sign-up": OPEN,
    # Links in letters
    "GET /confirm-address/{token}": (Door(NOBODY),),
    "POST /confirm-address/{token}": (Door(NOBODY),),
    "GET /forgot": OPEN,
    "POST /forgot": OPEN,
    "GET /forgot/sent": OPEN,
    "GET /reset/{token}": (Door(NOBODY),),
    "POST /reset/{token}": (Door(NOBODY, form={"password": "another lamp in the window"}),),
    "GET /verify/{token}": (Door(NOBODY),),
    "POST /verify/{token}": (Door(NOBODY),),
    # Oneself
    "GET /account": MY_PAGE,
    "POST /account/address": MY_PAGE,
    "POST /account/address/cancel": MY_PAGE,
    "GET /account/data": MY_PAGE,
    "POST /account/data": MY_PAGE,
    "GET /account/delete": (Door(SIGNED_IN - ADMINS, refused=REFUSED | OVER),),
    "POST /account/delete": MY_PAGE,
    "POST /account/verify": MY_PAGE,
    "POST /account/identities/unlink": MY_PAGE,
    "POST /account/identities/{name}/link": (Door(NOBODY),),
    "GET /account/password": MY_PAGE,
    "POST /account/password": MY_PAGE,
    "GET /account/second-factor": MY_PAGE,
    "POST /account/second-factor/codes": MY_PAGE,
    "POST /account/second-factor/confirm": MY_PAGE,
    "POST /account/second-factor/off": MY_PAGE,
    "GET /account/second-factor/set-up": OPEN,
    "POST /account/second-factor/set-up": MY_PAGE,
    "POST /account/teach": MY_PAGE,
    "GET /learn": MY_PAGE,
    "GET /orders": MY_PAGE,
    # Buying
    "GET /courses/{slug}/buy": OPEN,
    "POST /courses/{slug}/buy": MY_PAGE,
    "GET /courses/{slug}/enrol": OPEN,
    "POST /courses/{slug}/enrol": (Door(NOBODY, lambda w: {"slug": w.draft_slug}),),
    "GET /orders/{order}/receipt": (Door(NOBODY),),
    "POST /orders/{order}/refund": (Door(ITS_STUDENT, form={"reason": "Not for me."}),),
    "GET /checkout/{order}": (Door(ITS_STUDENT),),
    "GET /checkout/{order}/cancelled": (Door(ITS_STUDENT),),
    "GET /checkout/{order}/events": (Door(ITS_STUDENT, never_ends=True),),
    "GET /checkout/{order}/state": (Door(ITS_STUDENT),),
    "GET /sandbox": (Door(TEACHERS | ADMINS),),
    "POST /sandbox/archive": (Door(NOBODY, form={"thing": "cs_sbx_1"}),),
    "GET /sandbox/checkout/{session_id}": (Door(NOBODY),),
    "POST /sandbox/checkout/{session_id}/decline": (Door(NOBODY),),
    "POST /sandbox/checkout/{session_id}/faults": (Door(NOBODY),),
    "POST /sandbox/checkout/{session_id}/later": (Door(NOBODY),),
    "POST /sandbox/checkout/{session_id}/{what}": (Door(NOBODY),),
    "GET /sandbox/onboarding/{account_id}": (Door(NOBODY),),
    "POST /sandbox/onboarding/{account_id}/finish": (Door(NOBODY),),
    "POST /webhooks/clerk": (Door(NOBODY, refused=frozenset({400, 403, 404})),),
    "POST /webhooks/stripe": (Door(NOBODY, refused=frozenset({400, 403})),),
    "POST /webhooks/stripe/connect": (Door(NOBODY, refused=frozenset({400, 403})),),
    "POST /webhooks/stripe/platform": (Door(NOBODY, refused=frozenset({400, 403})),),
    "POST /webhooks/stripe/thin": (Door(NOBODY, refused=frozenset({400, 403})),),
    # Learning and reviews
    "GET /learn/{course}": (
        Door(SIGNED_IN, by_slug),
        Door(ITS_OWNER, lambda w: {"course": w.draft_slug}),
    ),
    "GET /learn/{course}/{lesson}": (
        Door(frozenset({STUDENT, OWNER}), by_slug),
        Door(NOBODY, lambda w: {"course": w.draft_slug}),
    ),
    "POST /learn/{lesson}/position": (
        Door(ITS_STUDENT, json={"position": 5, "watched": [], "length": 600, "age": 0}),
    ),
    "GET /learn/{place}/feedback": (Door(ITS_STUDENT),),
    "POST /learn/{place}/feedback": (Door(ITS_STUDENT),),
    "GET /courses/{slug}/review": (Door(ITS_STUDENT),),
    "POST /courses/{slug}/review": (Door(ITS_STUDENT, form={"stars": "5", "text": "Good"}),),
    "POST /courses/{slug}/review/later": MY_PAGE,
    "POST /courses/{slug}/review/remove": MY_PAGE,
    "POST /reviews/{review}/helpful": MY_PAGE,
    "POST /reviews/{review}/reply": (Door(ITS_OWNER, form={"text": "Thank you"}),),
    "GET /reviews/{review}/report": MY_PAGE,
    "POST /reviews/{review}/report": MY_PAGE,
    # The studio
    "GET /studio": (Door(TEACHERS),),
    "GET /studio/payouts": (Door(TEACHERS),),
    "GET /studio/sales": (Door(TEACHERS),),
    "GET /studio/sales.csv": (Door(TEACHERS),),
    "GET /studio/coupons": (Door(TEACHERS),),
    "GET /studio/{course}": (Door(ITS_OWNER),),
    "GET /studio/{course}/feedback": (Door(ITS_OWNER),),
    "GET /studio/{course}/feedback.csv": (Door(ITS_OWNER),),
    "GET /studio/{course}/feedback/form": (Door(ITS_OWNER),),
    "GET /studio/{course}/insights": (Door(ITS_OWNER),),
    "GET /studio/rehearse/{course}": (Door(ITS_OWNER),),
    "GET /studio/{course}/summaries": (Door(ITS_OWNER),),
    "GET /studio/sales/{order}": (Door(ITS_SELLERS, of_a_sale=True),),
    "GET /studio/sales/{order}/evidence.zip": (Door(NOBODY, refused=UNDISPUTED),),
    # Whoever runs the school
    "GET /admin": ADMIN_PAGE,
    "GET /admin/ai": ADMIN_PAGE,
    "GET /admin/coupons": ADMIN_PAGE,
    "GET /admin/courses": ADMIN_PAGE,
    "GET /admin/jobs": ADMIN_PAGE,
    "GET /admin/log": ADMIN_PAGE,
    "GET /admin/mail": ADMIN_PAGE,
    "GET /admin/mail/{key}": ADMIN_PAGE,
    "POST /admin/mail/{key}/again": ADMIN_PAGE,
    "GET /admin/mail/{key}/sheet": ADMIN_PAGE,
    "GET /admin/payments": ADMIN_PAGE,
    "GET /admin/orders": ADMIN_PAGE,
    "GET /admin/orders/{order}": ADMIN_PAGE,
    "GET /admin/reviews": ADMIN_PAGE,
    "GET /admin/payouts": ADMIN_PAGE,
    "GET /admin/payouts.csv": ADMIN_PAGE,
    "GET /admin/sales": ADMIN_PAGE,
    "GET /admin/sales.csv": ADMIN_PAGE,
    "GET /admin/settings": ADMIN_PAGE,
    "GET /admin/users": ADMIN_PAGE,
}
"""To a new address belongs a line here."""
