"""Every message exists in both languages, with the same fields."""

import string

import pytest

from abmloop.errors import AbmError
from abmloop.messages import LANGUAGES, _catalogue, say


def test_every_message_has_the_same_fields_in_both_languages() -> None:
    def fields(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    uneven = {code for code, texts in _catalogue().items() if len({frozenset(fields(t)) for t in texts.values()}) > 1}
    assert uneven == set()
    assert all(set(texts) == set(LANGUAGES) for texts in _catalogue().values())


def test_an_unknown_code_is_our_defect() -> None:
    with pytest.raises(AbmError, match="no message"):
        say("nothing.like.this")
