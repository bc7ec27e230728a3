"""How far the regions of a pair agree."""

from typing import Any

import numpy as np
import pandas as pd

from scoring.match.sides import Column


def regions_agree(one: Column, other: Column) -> np.ndarray:
    """How two region codes agree: levels in common (1 province, 2 city, 3 district), 0 unknown, -1 not."""
    first, second = _code_numbers(one), _code_numbers(other)
    level = np.minimum(_level(first), _level(second))
    result = np.zeros(len(first), np.int64)
    for deep in (1, 2, 3):
        rest = 100 ** (3 - deep)
        is_same = first // rest == second // rest
        result[level == deep] = np.where(is_same, deep, -1)[level == deep]
    return result


def _code_numbers(codes: Column) -> Any:
    """Region codes as numbers of six digits, 0 for none."""
    which, distinct = pd.factorize(codes)
    return np.array([int(code[:6] or 0) for code in distinct], np.int64)[which]


def _level(codes: np.ndarray) -> np.ndarray:
    return np.select([codes == 0, codes % 10_000 == 0, codes % 100 == 0], [0, 1, 2], 3)
