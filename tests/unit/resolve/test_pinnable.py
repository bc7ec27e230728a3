"""What a person may pin is what the golden record honours."""

from tasks.resolve.decisions import PINNABLE
from warehouse.models import all_models


def test_every_field_that_can_be_pinned_is_honoured_by_the_golden_record() -> None:
    sql = all_models()["resolved.merged_accounts"].sql
    assert [name for name in PINNABLE if f"pins['{name}']" not in sql] == []
