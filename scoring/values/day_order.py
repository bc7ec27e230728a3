"""The order of day and month in dates that do not tell it; for the reading process, which must start at once."""

import pyarrow as pa
import pyarrow.compute as pc


def year_first(column: pa.Array, is_day_first: bool) -> pa.Array:
    """Dates such as 3/4/2026 or 3.4.26 with the year in front, by the order their source is known for; others stay.

    A year of two digits up to 68 is of this century, as POSIX has it (V21).
    """
    pattern = r"^\s*(?P<a>\d{1,2})\s*[/.-]\s*(?P<b>\d{1,2})\s*[/.-]\s*(?P<year>\d{4}|\d{2})(?P<rest>(?:[ T,].*)?)$"
    part = pc.extract_regex(pc.utf8_normalize(column, form="NFKC"), pattern)
    a, b, year, rest = (pc.struct_field(part, name) for name in ("a", "b", "year", "rest"))
    century = pc.if_else(pc.less_equal(pc.cast(year, pa.int32()), 68), "20", "19")
    year = pc.if_else(pc.equal(pc.utf8_length(year), 2), pc.binary_join_element_wise(century, year, ""), year)
    month, day = (b, a) if is_day_first else (a, b)
    found = pc.binary_join_element_wise(pc.binary_join_element_wise(year, month, day, "-"), rest, "")
    # A month that cannot be one says that this date is written in the other order: it has one reading anyway.
    possible = pc.less_equal(pc.cast(month, pa.int32()), 12)
    return pc.if_else(pc.fill_null(possible, False), found, column)
