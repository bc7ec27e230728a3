"""How names sound: Chinese characters as their Mandarin syllables, as letters or by what people confuse."""

import re
from functools import lru_cache
from importlib.resources import files

import numpy as np

from scoring.match.hashing import Alphabet, Hashes, plain_alphabet
from scoring.names.buffers import Texts

# Sounds that Mandarin speakers of the south do not tell apart, and input methods offer for each other.
_CONFUSED = ((r"^([zcs])h", r"\1"), (r"^n", "l"), (r"([aei]n)g$", r"\1"))


@lru_cache(maxsize=1)
def spelled() -> Alphabet:
    """Characters count as the letters of their syllable (华为 as huawei), others as themselves."""
    plain = plain_alphabet()
    numbers, widths = plain.numbers.copy(), np.ones(len(plain.numbers), np.int16)
    for syllable, characters in _syllables().items():
        codes = [ord(char) for char in characters]
        numbers[codes], widths[codes] = _raw(syllable), len(syllable)
    return Alphabet(numbers, widths)


@lru_cache(maxsize=1)
def confused() -> Alphabet:
    """Characters that sound alike count as one."""
    numbers = plain_alphabet().numbers.copy()
    for syllable, characters in _syllables().items():
        for pattern, instead in _CONFUSED:
            syllable = re.sub(pattern, instead, syllable)
        numbers[[ord(char) for char in characters]] = _raw(f"/{syllable}")
    return Alphabet(numbers)


def _raw(text: str) -> np.uint64:
    """The sum that these letters add to a running sum at place 0."""
    return np.uint64(Hashes(Texts(np.array([ord(char) for char in text]), np.array([0, len(text)]))).total())


@lru_cache(maxsize=1)
def _syllables() -> dict[str, str]:
    lines = (files("scoring.names") / "pinyin.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines if not line.startswith("#"))
