"""Names in Latin and other alphabets: legal forms and share classes off the end, words as the core."""

from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.names.buffers import Texts
from scoring.names.parts import NameParts
from scoring.names.text import fold_names
from scoring.names.tries import Trie
from scoring.names.words import load_words

_ARTICLE = r"^the "
_STATE = r"\((?:[a-z]{2}|delaware|nevada)\)|/[a-z]{2}/?$"


def parse_latin(folded: pa.Array) -> NameParts:
    """Parts of folded names without Chinese characters.

    The core is in words; the comparison key is the name without spaces, its legal form in canonical writing. Region,
    industry word and branch are not read.
    """
    words = pc.replace_substring_regex(pc.replace_substring_regex(folded, _STATE, " "), r"[()]", " ")
    words = _squeezed(pc.replace_substring(words, "&", " and "))
    bare = _without_shares(words)
    stem, form = _split_form(pc.if_else(pc.equal(bare, ""), words, bare))
    core = _squeezed(pc.replace_substring_regex(_twice(stem), _ARTICLE, ""))
    core = pc.if_else(pc.equal(core, ""), words, core)
    key = pc.replace_substring(pc.binary_join_element_wise(stem, form, " "), " ", "")
    empty = pa.array([""] * len(folded), pa.string())
    return NameParts(key, empty, empty, core, empty, form, empty)


def _squeezed(words: pa.Array) -> pa.Array:
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(words, " +", " "))


def _twice(stem: pa.Array) -> pa.Array:
    """The stem without a second legal form (… Holdings Ltd. Co.)."""
    return _split_form(stem)[0]


def _without_shares(words: pa.Array) -> pa.Array:
    shares = "|".join(load_words().share_words)
    return _squeezed(pc.replace_substring_regex(words, rf"(?:\b(?:{shares}) ?)+$", ""))


@lru_cache(maxsize=1)
def _forms() -> tuple[Trie, pa.Array]:
    """(endings behind a space, the form of each number; number 0 is no form)."""
    form_of = {
        " " + ending: form for form, endings in load_words().latin_forms.items() for ending in fold_names(list(endings))
    }
    numbers = {ending: number for number, ending in enumerate(form_of, start=1)}
    return Trie.backward(numbers), pa.array(["", *form_of.values()])


def _split_form(words: pa.Array) -> tuple[pa.Array, pa.Array]:
    """(stem, canonical form); the longest ending in whole words, never the whole name."""
    endings, forms = _forms()
    texts = Texts.of(words)
    found = endings.longest(texts.codes, texts.starts + 1, texts.ends)
    stem = texts.slices(texts.starts, texts.ends - found.length).column()
    return stem, forms.take(pa.array(np.maximum(found.number, 0)))
