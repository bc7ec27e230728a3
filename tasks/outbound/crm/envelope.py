"""Answers that bear their verdict inside: a code, whatever the HTTP status says."""

from dataclasses import dataclass
from typing import Any

from abmloop.errors import CrmUnreachable
from abmloop.messages import said
from tasks.outbound.crm.base import ChannelStopped, SlowDown
from tasks.outbound.crm.wire import Answer, check_answer, hide, retry_after

_A_DAY = 86_400.0


@dataclass(frozen=True)
class Envelope:
    """How a vendor wraps its answers: the fields of code and message, the codes of success and of its two limits."""

    code_field: str
    message_field: str
    good: frozenset[int]
    too_fast: int
    day_is_over: int

    def code(self, answer: Answer) -> int | None:
        """The code, whatever the status; None where there is none."""
        try:
            told = answer.json()
            return int(told[self.code_field]) if isinstance(told, dict) else None
        except (CrmUnreachable, KeyError, TypeError, ValueError):
            return None

    def is_of_row(self, code: int | None) -> bool:
        """Whether a code speaks of the row: neither success nor a limit, and there at all."""
        return code is not None and code not in self.good and code not in (self.too_fast, self.day_is_over)

    def opened(self, answer: Answer) -> dict[str, Any]:
        """The body of an answer whose code is one of success; else what it means is raised."""
        code = self.code(answer)
        if code == self.too_fast:
            raise SlowDown(said("crm_too_many_calls", status=code), retry_after(answer))
        if code == self.day_is_over:
            raise SlowDown(said("crm_day_used_up_code", status=code), _A_DAY)
        check_answer(answer)
        if code is None:
            answer.json()
            raise CrmUnreachable(said("crm_no_code_field", status=answer.status, field=self.code_field))
        if code not in self.good:
            words = hide(str(answer.json().get(self.message_field)))
            raise ChannelStopped(said("crm_answered", status=code, words=words))
        return dict(answer.json())
