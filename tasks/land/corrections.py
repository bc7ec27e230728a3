"""Files of our own: refused rows that were exported, corrected and dropped again come back as they were received."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

# The column by which a corrected row names the refused one it stands for.
ROW_HEADER = "abmloop_row"

_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫"
_BLANKS = " \u00a0\u1680\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff"
# The mark before what a spreadsheet would run as a formula, as our exports set it (tasks/outbound/csv_out.py).
_MARKED = f"(?s)^'([{_BLANKS}]*[{_SIGNS}\t\r\n].*|.*[\r\n][{_BLANKS}]*[{_SIGNS}\t].*)$"


def unmarked(columns: list[pa.Array], headers: Iterable[str]) -> list[pa.Array]:
    """The columns without the mark our exports set before formulas; untouched in files that are no export of ours."""
    if ROW_HEADER not in headers:
        return columns
    return [pc.replace_substring_regex(column, _MARKED, r"\1") for column in columns]
