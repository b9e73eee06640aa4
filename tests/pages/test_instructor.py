"""What an instructor's page says to machines."""

import json

from luma.pages.shop import instructor
from luma.services.instructors import InstructorPage


def test_a_name_cannot_end_the_script_it_stands_in() -> None:
    page = InstructorPage("x", "</script><b>&", "", "img_x", 0, ())

    text = str(instructor.structured(page))

    assert "<" not in text
    assert json.loads(text)["mainEntity"]["name"] == "</script><b>&"
