"""What names of people say of a key that rows share: one person written in several ways, or several people."""

import numpy as np
import pandas as pd

from scoring.names.text import fold_names

_TITLES = r"(?:先生|女士|小姐|老师|经理|总监|主任|总|\s)+$"


def plain_names(names: pd.Series) -> pd.Series:
    """Names for comparison: folded like company names (width, case, accents, 陳 as 陈), without titles, words in order.

    Empty where there is none.
    """
    given = names.fillna("")
    written = pd.Series(given.unique(), dtype="object")
    plain = pd.Series(fold_names(written.tolist()), dtype="object").str.replace(_TITLES, "", regex=True).str.strip()
    plain = plain.where(~is_han(plain), plain.str.replace(" ", "")).where(is_han(plain), _in_order(plain))
    return given.map(dict(zip(written, plain, strict=True)))


def _in_order(names: pd.Series) -> pd.Series:
    """The words of each name in the order of letters: Ming Wang is Wang Ming."""
    return names.str.split().map(lambda words: " ".join(sorted(words)))


def is_han(names: pd.Series) -> pd.Series:
    """Whether a name is written in Chinese."""
    return names.str.match(r"[\u3400-\u9fff]")


def name_tokens(names: pd.Series) -> pd.Series:
    """What names of one person have in common: the family name in Chinese, any word of two letters in Latin ones.

    One row per name and token, under the name's index; a name without such a word is its own.
    """
    words = names.str.findall(r"[^\W\d_]{2,}")
    words = words.where(words.str.len() > 0, names.map(lambda name: [name]))
    return words.where(~is_han(names), names.str[:1].map(lambda family: [family])).explode()


def people_per_key(said: pd.DataFrame) -> pd.DataFrame:
    """By key: `families`, names that have nothing in common, and `names`, different full names.

    said: key, name (plain, not empty). A name in Chinese and one in Latin letters may be the same person's; each script
    is counted by itself, and the greater number counts. 王先生 may be 王明, and Ming Wang is Wang Ming.
    """
    names = said[["key", "name"]].drop_duplicates().reset_index(drop=True)
    names["is_han"] = is_han(names["name"])
    names["family"] = _families(names)
    names["full"] = names["name"].where(~names["is_han"], names["name"].where(names["name"].str.len() > 1))
    by_script = names.groupby(["key", "is_han"]).agg(families=("family", "nunique"), names=("full", "nunique"))
    return by_script.groupby("key").max()


def _families(names: pd.DataFrame) -> np.ndarray:
    """A number for each name, the same for those of one key and script that share tokens, even by way of others."""
    tokens = name_tokens(names["name"])
    nodes = pd.DataFrame({"key": names["key"].loc[tokens.index], "is_han": names["is_han"].loc[tokens.index]})
    nodes["token"] = tokens.to_numpy()
    token = nodes.groupby(["key", "is_han", "token"], sort=True).ngroup().to_numpy()
    size = len(names) + (int(token.max()) + 1 if len(token) else 0)
    edges = (np.ones(len(token), np.int8), (tokens.index.to_numpy(), token + len(names)))
    # Imported here: a run without new people does without SciPy.
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    graph = sparse.coo_matrix(edges, shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1][: len(names)])
