"""What plain forms and addresses send, as routes take it."""

from typing import Annotated

from fastapi import Form, Query

Field = Annotated[str, Form()]
Onward = Annotated[str, Query(alias="next")]
OnwardField = Annotated[str, Form(alias="next")]
