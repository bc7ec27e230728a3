"""Tryton's JSON in our form and back; the real Tryton is asked by the long tests (tests/e2e/test_tryton.py)."""

import pytest

from abmloop.errors import CrmUnreachable
from tasks.outbound.crm.tryton import _as_theirs, _error, _flat, _opened, _plain
from tasks.outbound.crm.wire import Answer


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date", "2026-10-31"),
        ("decimal", "12.50"),
        ("time", "2026-10-31T08:09:10.000120Z"),
        ("text", "王"),
        ("text", None),
    ],
)
def test_a_value_is_the_same_after_the_way_there_and_back(kind: str, value: str | None) -> None:
    assert _plain(_as_theirs(kind, value)) == value  # type: ignore[arg-type]


def test_a_related_records_fields_stand_under_their_dotted_names() -> None:
    assert _flat({"id": 1, "party.": {"id": 3, "name": "A"}, "x.": None}) == {"id": 1, "party.id": 3, "party.name": "A"}


def test_a_value_of_another_shape_is_no_answer() -> None:
    with pytest.raises(CrmUnreachable):
        _plain([{"__class__": "datetime", "year": 2026}])


@pytest.mark.parametrize("body", [b'{"id": 2, "result": 1}', b'{"id": 1}', b"[]", b"<html>"])
def test_an_answer_to_another_call_or_of_another_shape_is_no_answer(body: bytes) -> None:
    with pytest.raises(CrmUnreachable):
        _opened(Answer(200, {}, body), 1)


def test_an_error_tells_its_kind_and_words() -> None:
    assert _error(["UserError", ["The code must be unique.", "", None]]) == ("UserError", "The code must be unique.")
    assert _error(["division by zero", "Traceback …"]) == ("division by zero", "")
