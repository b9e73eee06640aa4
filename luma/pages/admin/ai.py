"""What AI has cost: `/admin/ai`, by instructor and month."""

from collections.abc import Mapping

from nicegui import APIRouter

from luma.pages import section
from luma.pages.feedback import page
from luma.pages.session import act
from luma.services.assistant import budget
from luma.settings import settings

router = APIRouter()


@page(router, "/admin/ai", "AI · Admin")
async def spending() -> None:
    async def read() -> Mapping[str, object]:
        return {
            "lines": await act(budget.spending),
            "is_on": settings().openrouter_api_key is not None,
            "cap": budget.in_cents(settings().ai_monthly_cents * budget.CENT),
            "in_cents": budget.in_cents,
        }

    await section.show("ai", read)
