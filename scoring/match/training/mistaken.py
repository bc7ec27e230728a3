"""Characters mistaken for others: by sound (input methods), by look (reading off a card), by script."""

from collections import defaultdict
from functools import lru_cache

import numpy as np

from scoring.match.slips import shapes
from scoring.match.sounds import as_confused, syllables

Rng = np.random.Generator
_NEARLY = 0.2  # of the mistakes by sound those between sounds that people confuse
_EVERYDAY_LEVEL = 0xD7  # GB 2312 has the everyday characters up to this byte
_EVERYDAY, _RARE = 6, 1  # how often an everyday character is what the input method offers, against a rare one
_LETTERS = {
    "0": "oO", "o": "0", "O": "0", "1": "lI", "l": "1I", "I": "l1", "i": "1l", "5": "S", "S": "5", "8": "B", "B": "8",
}  # fmt: skip
_FOREIGN = dict(zip("ABCEHKMacey", "АВСΕНΚМасеу", strict=True))


def misheard(text: str, rng: Rng) -> str:
    """One Chinese character replaced by another of the same sound, everyday ones most."""
    others = _by_confused() if rng.random() < _NEARLY else _by_sound()
    return _replaced(text, {char: others[char] for char in text if char in others}, rng)


def misread(text: str, rng: Rng) -> str:
    """One Chinese character replaced by one that looks like it."""
    others = _by_shape()
    return _replaced(text, {char: others[char] for char in text if char in others}, rng)


def mistyped(text: str, rng: Rng) -> str:
    """A letter replaced by a digit or letter that looks like it, of this script or another."""
    return _replaced(text, _FOREIGN if rng.random() < 0.3 else _LETTERS, rng)


def _replaced(text: str, others: dict[str, str], rng: Rng) -> str:
    places = [at for at, char in enumerate(text) if others.get(char)]
    if not places:
        return text
    at = places[rng.integers(len(places))]
    choices = others[text[at]]
    return text[:at] + choices[rng.integers(len(choices))] + text[at + 1 :]


@lru_cache(maxsize=1)
def _by_sound() -> dict[str, str]:
    return _others(list(syllables().values()))


@lru_cache(maxsize=1)
def _by_confused() -> dict[str, str]:
    together: dict[str, str] = defaultdict(str)
    for syllable, characters in syllables().items():
        together[as_confused(syllable)] += characters
    return _others(list(together.values()))


@lru_cache(maxsize=1)
def _by_shape() -> dict[str, str]:
    found: dict[str, str] = defaultdict(str)
    for char, (near, far) in shapes().items():
        for other, times in [(one, 2) for one in near] + [(one, 1) for one in far]:
            found[char] += other * times
            found[other] += char * times
    return dict(found)


def _others(groups: list[str]) -> dict[str, str]:
    """For each character the others of its group, as often as their use makes them likely."""
    found: dict[str, str] = {}
    for characters in groups:
        likely = {char: char * _use(char) for char in characters}
        found |= {char: "".join(text for other, text in likely.items() if other != char) for char in characters}
    return found


def _use(char: str) -> int:
    try:
        level = char.encode("gb2312")[0]
    except UnicodeEncodeError:
        return 0
    return _EVERYDAY if level <= _EVERYDAY_LEVEL else _RARE
