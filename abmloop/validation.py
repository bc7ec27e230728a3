"""What pydantic finds wrong with a value, as messages of ours that can be told in either language."""

from collections.abc import Mapping
from typing import Any

from abmloop.messages import Said, has_message, said


def problem_of(fault: Mapping[str, Any]) -> str:
    """The words of one entry of `ValidationError.errors()`: a validator's own message, else that of its type."""
    given = fault.get("ctx", {})
    more = {name: f"{one:g}" if isinstance(one, float) else one for name, one in given.items()}
    raised = more.get("error")
    if isinstance(raised, ValueError) and raised.args and isinstance(raised.args[0], Said):
        return raised.args[0]
    code = f"value_{fault['type']}"
    if not has_message(code):
        return str(fault["msg"]).removeprefix("Value error, ")
    first, is_either, last = str(more.get("expected", "")).rpartition(" or ")
    if is_either:
        more["expected"] = said("either", first=first, last=last)
    return said(code, **more)
