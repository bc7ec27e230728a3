"""The parts of a name, as columns."""

from dataclasses import dataclass, fields

import pyarrow as pa


@dataclass(frozen=True)
class NameParts:
    """Columns of equal length; "" where a part is absent."""

    name_key: pa.Array
    region: pa.Array
    region_code: pa.Array
    core: pa.Array
    industry_word: pa.Array
    form: pa.Array
    branch: pa.Array


PARTS = tuple(field.name for field in fields(NameParts))
