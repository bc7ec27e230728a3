"""Texts in one buffer of code points, and words found in all of them at once."""

import numpy as np
import pyarrow as pa

from scoring.names.buffers import Texts
from scoring.names.text import clean_texts
from scoring.names.tries import Trie

VALUES = ["华为a", None, "", "é", "𠮷野家"]


def texts_of(*values: str | None) -> Texts:
    return Texts.of(pa.array(values, pa.string()))


def test_what_goes_into_a_buffer_comes_out_again() -> None:
    assert texts_of(*VALUES).column().to_pylist() == ["华为a", "", "", "é", "𠮷野家"]
    assert Texts.of(pa.array(VALUES).slice(3)).column().to_pylist() == ["é", "𠮷野家"]
    assert texts_of().column().to_pylist() == []


def test_code_points_leave_their_own_text_only() -> None:
    texts = texts_of("华 为", " ", "技术 ")
    spaceless = texts.without(np.flatnonzero(texts.codes == ord(" ")))
    assert spaceless.column().to_pylist() == ["华为", "", "技术"]


def test_slices_are_texts_of_their_own() -> None:
    texts = texts_of("华为技术", "中兴")
    assert texts.slices(texts.starts + 1, texts.ends).column().to_pylist() == ["为技术", "兴"]


def test_spaces_fold_within_a_text_and_never_across_texts() -> None:
    cleaned = clean_texts(pa.array(["  a  b ", " ", "c ", " d", "\u3000\u200b", "e\nf"]))
    assert cleaned.column().to_pylist() == ["a b", "", "c", "d", "", "e f"]


def test_the_longest_word_wins_at_the_head_and_at_the_tail() -> None:
    texts = texts_of("深圳市华为", "深圳", "", "华为", "有限公司")
    found = Trie.forward({"深圳": 1, "深圳市": 2}).longest(texts.codes, texts.starts, texts.ends)
    assert (found.length.tolist(), found.number.tolist()) == ([3, 2, 0, 0, 0], [2, 1, -1, -1, -1])
    found = Trie.backward({"公司": 0, "有限公司": 1, "为": 2}).longest(texts.codes, texts.starts, texts.ends)
    assert (found.length.tolist(), found.number.tolist()) == ([1, 0, 0, 1, 4], [2, -1, -1, 2, 1])


def test_a_word_stays_within_the_room_it_has() -> None:
    texts = texts_of("深圳市", "深圳市")
    found = Trie.forward({"深圳": 1, "深圳市": 2}).longest(texts.codes, texts.starts, texts.ends - [1, 0])
    assert found.length.tolist() == [2, 3]


def test_a_walk_may_begin_inside_the_tree() -> None:
    trie = Trie.forward({"44深圳": 1, "31浦东": 2})
    texts = texts_of("深圳", "浦东", "深圳")
    states = np.array([trie.state("44"), trie.state("44"), trie.state("99")])
    assert trie.longest(texts.codes, texts.starts, texts.ends, states).number.tolist() == [1, -1, -1]
