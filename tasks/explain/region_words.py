"""By which regions' rules on consent a person is judged, in words."""

from collections.abc import Mapping
from typing import Any

from abmloop.messages import say


def told_region(row: Mapping[str, Any], language: str) -> str:
    """One line from the columns of `marts.person_regions`; all null where nothing says where the person is."""
    if not row["region"]:
        return say("region_unknown", language)
    said = ", ".join(row["indications"])
    return say("region_disputed" if row["is_disputed"] else "region_told", language, said=said)
