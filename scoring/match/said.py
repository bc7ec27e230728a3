"""What the parts of names say, as numbers and texts to compare."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import fuzz

from scoring.match.sides import Column
from scoring.match.weighed import Numbers, scored

_SHARES, _GROUP, _ANY_FORM = "股份", "集团", "公司"


def where_both(one: Column, other: Column) -> Numbers:
    """How alike two texts are; -1 where one says nothing, 1 where neither does."""
    stated = said_by(one, other)
    ratio = np.where(stated == 0, 1, -1).astype(np.float32)
    rows = np.flatnonzero(stated == 3)
    ratio[rows] = scored(one[rows], other[rows], fuzz.ratio)
    return ratio


def trade(stems: Column, cores: Column) -> Column:
    """The stem behind the proper name."""
    return np.array([stem[len(core) :] for stem, core in zip(stems, cores, strict=True)], object)


def numerals(texts: Column) -> Numbers:
    kept = pc.replace_substring_regex(pa.array(texts, pa.string()), "[^0-9一二三四五六七八九十百]+", "")
    return np.asarray(kept.to_numpy(zero_copy_only=False), object)


def said_by(one: Column, other: Column) -> Numbers:
    """0 neither, 1 only the first, 2 only the second, 3 both."""
    return (one != "").astype(np.int8) + 2 * (other != "").astype(np.int8)


def form_kind(forms: Column) -> Numbers:
    """0 none, 1 a company limited by shares, 2 a group, 3 a company, 4 another form."""
    texts = pa.array(forms, pa.string())
    shares, group, company = (
        pc.match_substring(texts, word).to_numpy(zero_copy_only=False) for word in (_SHARES, _GROUP, _ANY_FORM)
    )
    return np.select([forms == "", shares, group, company], [0, 1, 2, 3], 4)
