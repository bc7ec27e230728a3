"""Every message exists in both languages, with the same fields."""

import pickle
import string

import pytest

from abmloop.errors import AbmError, BadPolicy, BadUsage, CrmUnreachable
from abmloop.messages import LANGUAGES, _catalogue, said, say, together


def test_every_message_has_the_same_fields_in_both_languages() -> None:
    def fields(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    uneven = {code for code, texts in _catalogue().items() if len({frozenset(fields(t)) for t in texts.values()}) > 1}
    assert uneven == set()
    assert all(set(texts) == set(LANGUAGES) for texts in _catalogue().values())


def test_an_unknown_code_is_our_defect() -> None:
    with pytest.raises(AbmError, match="no message"):
        say("nothing.like.this")


def test_an_error_is_told_in_the_language_of_who_reads_it_with_the_error_inside_it() -> None:
    inner = BadUsage(said("crm_older_day", held="2026-10-31", asked="2026-10-30"))
    outer = pickle.loads(pickle.dumps(CrmUnreachable(said("crm_plan_refused", why=inner.message))))
    assert str(outer).startswith(
        "As things are, a push would be refused: the CRM already holds the state of 2026-10-31"
    )
    assert outer.told("zh").startswith("目前推送会被拒绝：CRM 已是 2026-10-31 的状态")
    assert BadUsage("plain words").told("zh") == "plain words"


def test_several_messages_in_one_are_all_told() -> None:
    faults = together([said("crm_url_https"), "plain words"], "; ")
    error = pickle.loads(pickle.dumps(BadPolicy(said("crm_url_refused", faults=faults))))
    assert str(error) == "crm.yaml: url: only https (http on loopback); plain words"
    assert error.told("zh") == "crm.yaml: url：只能用 https（本机回环可用 http）; plain words"
