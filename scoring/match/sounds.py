"""How names sound: Chinese characters as their Mandarin syllables, as letters or by what people confuse."""

import re
from functools import lru_cache
from importlib.resources import files

import numpy as np

from scoring.match.hashing import Alphabet, Hashes, plain_alphabet
from scoring.names.buffers import Codes, Flags, Texts

# Sounds that Mandarin speakers of the south do not tell apart, and input methods offer for each other.
_CONFUSED = ((r"^([zcs])h", r"\1"), (r"^n", "l"), (r"([aei]n)g$", r"\1"))


@lru_cache(maxsize=1)
def spelled() -> Alphabet:
    """Characters count as the letters of their syllable (华为 as huawei), others as themselves."""
    plain = plain_alphabet()
    numbers, widths = plain.numbers.copy(), np.ones(len(plain.numbers), np.int16)
    for syllable, characters in syllables().items():
        codes = [ord(char) for char in characters]
        numbers[codes], widths[codes] = _raw(syllable), len(syllable)
    return Alphabet(numbers, widths)


@lru_cache(maxsize=1)
def confused() -> Alphabet:
    """Characters that sound alike count as one."""
    numbers = plain_alphabet().numbers.copy()
    for syllable, characters in syllables().items():
        numbers[[ord(char) for char in characters]] = _raw(f"/{as_confused(syllable)}")
    return Alphabet(numbers)


def same_sound(one: Codes, other: Codes) -> Flags:
    """Characters of one syllable, the tone aside."""
    return _alike(one, other, _sounds()[0])


def nearly_heard(one: Codes, other: Codes) -> Flags:
    """Characters whose syllables people confuse."""
    return _alike(one, other, _sounds()[1])


def _alike(one: Codes, other: Codes, sounds: Codes) -> Flags:
    flags: Flags = (sounds[one] == sounds[other]) & (sounds[one] > 0)
    return flags


@lru_cache(maxsize=1)
def _sounds() -> tuple[Codes, Codes]:
    """By code point the number of its syllable, and that of what people confuse; 0 for characters without a sound."""
    confused_numbers: dict[str, int] = {}
    exact, near = np.zeros(len(plain_alphabet().numbers), np.int16), np.zeros(len(plain_alphabet().numbers), np.int16)
    for number, (syllable, characters) in enumerate(syllables().items(), start=1):
        codes = [ord(char) for char in characters]
        exact[codes] = number
        near[codes] = confused_numbers.setdefault(as_confused(syllable), number)
    return exact, near


def as_confused(syllable: str) -> str:
    """The sound that people take a syllable for."""
    for pattern, instead in _CONFUSED:
        syllable = re.sub(pattern, instead, syllable)
    return syllable


def _raw(text: str) -> np.uint64:
    """The sum that these letters add to a running sum at place 0."""
    return np.uint64(Hashes(Texts(np.array([ord(char) for char in text]), np.array([0, len(text)]))).total())


@lru_cache(maxsize=1)
def syllables() -> dict[str, str]:
    """The characters of each Mandarin syllable."""
    lines = (files("scoring.names") / "pinyin.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines if not line.startswith("#"))
