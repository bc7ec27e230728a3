"""Keys that bring a contact and an account together: names and their parts as numbers, equal where those are.

A kind of key is a pair of arrays (numbers, rows); a row may have several keys of a kind, and 0 is no key. Which kinds
of the two sides meet, and what evidence that is, is said in `SURE_JOINS` and `NEAR_JOINS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.match.hashing import Hashes, Numbers, Rows, distinct, joined
from scoring.match.sides import Column, Side
from scoring.match.sounds import confused, spelled
from scoring.names.buffers import Flags, Texts, positions
from scoring.names.text import is_han

Keyed = tuple[Numbers, Rows]

_SPACE = 32
_MIXER = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing
_MIN_SLIP = 3  # characters: one of two is half a name
_MIN_LABEL = 3  # letters of a domain's own label
_MOST_WORDS, _MOST_PHRASE_WORDS, _MOST_LEAD_WORDS = 14, 6, 3
_INITIALS = (2, 7)  # letters of an acronym
_STARTS = (4, 3)  # letters of the first and the second word that abbreviations keep
_LINK_WORDS = ("of", "the", "and", "for", "de", "do", "da", "di", "du", "la", "le", "y", "e", "et", "und", "der", "in")


@dataclass(frozen=True)
class Join:
    """Contacts' keys of kind `given` meet accounts' keys of kind `account`; the pair is then `via` that evidence."""

    via: str
    given: str
    account: str


# Kinds that are looked at for every contact.
SURE_JOINS = (
    Join("code", "code", "code"),
    Join("crm_id", "crm_id", "crm_id"),
    Join("name", "name", "name"),
    Join("alias", "name", "alias"),
    Join("domain", "domain", "domain"),
    Join("phone", "phone", "phone"),
    Join("stem", "stem", "stem"),
    Join("stem", "stem", "core"),
    Join("core", "core", "core"),
)
# Kinds for contacts whose whole name is no account's.
NEAR_JOINS = (
    Join("core_place", "core_place", "core_place"),
    Join("slip", "slip", "slip"),
    Join("slip_place", "slip_place", "slip_place"),
    Join("sound", "sound", "sound"),
    Join("sound_place", "sound_place", "sound_place"),
    Join("letters", "letters", "letters"),
    Join("phrase", "phrase", "letters"),
    Join("phrase", "letters", "lead"),
    Join("romanised", "letters", "spelled"),
    Join("romanised", "spelled", "letters"),
    Join("label", "label", "label"),
    Join("brand", "label", "letters"),
    Join("brand", "label", "spelled"),
    Join("brand", "label", "initials"),
    Join("brand", "letters", "label"),
    Join("brand", "lead", "label"),
    Join("initials", "letters", "initials"),
    Join("initials", "initials", "letters"),
    Join("starts", "starts", "starts"),
)


# Kinds that hold in one province (2 digits of its code) or city (4): by what attribute, in how wide a place.
_IN_PLACES = {"core_place": ("_core_numbers", 2), "slip_place": ("_slips", 4), "sound_place": ("_core_sounds", 2)}


class SideKeys:
    """The keys of some rows of a side, each kind made when it is asked for."""

    def __init__(self, side: Side, rows: Rows, more: dict[str, tuple[Column, Rows]]) -> None:
        """more: kinds of which a row has several texts (whole names, aliases, domains), as (texts, rows)."""
        self._side, self._rows, self._more = side, rows, more

    def of(self, kind: str, among: Numbers | None = None) -> Keyed:
        """The keys of a kind. `among`: of those that hold in one place, only those with such a name without place."""
        if kind in _IN_PLACES:
            numbers, rows = self._in_places(_among(self._of_base(kind), among), _IN_PLACES[kind][1])
        else:
            make: Callable[[], Keyed] | None = getattr(self, f"_{kind}_keys", None)
            numbers, rows = make() if make else self._texts_as_they_are(kind)
        kept = np.flatnonzero(numbers)
        return numbers[kept], rows[kept]

    def bases(self, kind: str) -> Numbers | None:
        """Of keys that hold in one place, the distinct names without place, in order; None of other kinds."""
        return distinct(self._of_base(kind)[0]) if kind in _IN_PLACES else None

    def _of_base(self, kind: str) -> Keyed:
        base: Keyed = getattr(self, _IN_PLACES[kind][0])
        return base

    def _texts_as_they_are(self, kind: str) -> Keyed:
        if kind in ("stem", "core"):
            return (self._stem_hashes if kind == "stem" else self._core_hashes).wholes(), self._rows
        texts, rows = self._more[kind] if kind in self._more else (getattr(self._side, kind)[self._rows], self._rows)
        filled = np.flatnonzero(texts != "")
        return Hashes(_buffer(texts[filled])).wholes(), rows[filled]

    @cached_property
    def _stems(self) -> Texts:
        return _buffer(self._side.stem[self._rows])

    @cached_property
    def _cores(self) -> Texts:
        return _buffer(self._side.core[self._rows])

    @cached_property
    def _stem_hashes(self) -> Hashes:
        return Hashes(self._stems)

    @cached_property
    def _core_hashes(self) -> Hashes:
        return Hashes(self._cores)

    @cached_property
    def _han(self) -> Flags:
        """Rows whose stem has Chinese characters."""
        return self._stems.counts(is_han(self._stems.codes)) > 0

    @cached_property
    def _words(self) -> "_Words":
        return _Words(self._stems, ~self._han)

    @cached_property
    def _places(self) -> dict[int, tuple[Numbers, Numbers]]:
        """By digits of the code (2 a province, 4 a city): that in the name, and that of the row's fields; 0 none."""
        named, stated = _buffer(self._side.region), _buffer(self._side.place)
        return {digits: (_heads(named, digits), _heads(stated, digits)) for digits in (2, 4)}

    @cached_property
    def _core_numbers(self) -> Keyed:
        return self._core_hashes.wholes(), self._rows

    def _slip_keys(self) -> Keyed:
        return self._slips

    @cached_property
    def _slips(self) -> Keyed:
        """The stem, and the stem without any one of its characters: an error in one, whatever its kind, leaves one of
        these the same, and so do two neighbours that changed places.
        """
        long = np.flatnonzero(self._han & (self._stems.lengths >= _MIN_SLIP))
        at, numbers = self._stem_hashes.without_one(long)
        every = np.concatenate([self._stem_hashes.wholes()[long], numbers])
        return every, self._rows[np.concatenate([long, at])]

    def _sound_keys(self) -> Keyed:
        return self._of_han(Hashes(self._stems, confused()).wholes())

    @cached_property
    def _core_sounds(self) -> Keyed:
        return self._of_han(Hashes(self._cores, confused()).wholes())

    def _letters_keys(self) -> Keyed:
        rows = np.flatnonzero(~self._han)
        latin = self._stems.slices(self._stems.starts[rows], self._stems.ends[rows])
        return Hashes(_unspaced(latin)).wholes(), self._rows[rows]

    def _spelled_keys(self) -> Keyed:
        """The Latin letters of a Chinese name's proper part, with and without its trade."""
        return _together(*(self._of_han(Hashes(texts, spelled()).wholes()) for texts in (self._cores, self._stems)))

    def _label_keys(self) -> Keyed:
        """A domain's own label, without its ending and hyphens (hec-group.com.tw → hecgroup)."""
        domains, rows = self._more.get("domain", (self._side.domain[self._rows], self._rows))
        filled = np.flatnonzero(domains != "")
        domains, rows = domains[filled], rows[filled]
        labels = pc.replace_substring(
            pc.list_element(pc.split_pattern(pa.array(domains, pa.string()), "."), 0), "-", ""
        )
        texts = Texts.of(labels)
        return np.where(texts.lengths >= _MIN_LABEL, Hashes(texts).wholes(), np.uint64(0)), rows

    def _phrase_keys(self) -> Keyed:
        """Words that stand together in a Latin name, without their spaces."""
        return self._of_words(self._words.phrases(_MOST_PHRASE_WORDS))

    def _lead_keys(self) -> Keyed:
        """The first word of a Latin name, the first two, the first three."""
        return self._of_words(self._words.leads(_MOST_LEAD_WORDS))

    def _initials_keys(self) -> Keyed:
        """The initials of a Latin name's words, of all and of those that are no link words; of a Chinese one's
        syllables.
        """
        return self._of_words(self._words.initials())

    def _starts_keys(self) -> Keyed:
        """How the first two words of a Latin name begin: abbreviations keep that (gold res, gold resource)."""
        return self._of_words(self._words.starts())

    def _of_words(self, found: Keyed) -> Keyed:
        return found[0], self._rows[found[1]]

    def _of_han(self, numbers: Numbers) -> Keyed:
        return np.where(self._han, numbers, np.uint64(0)), self._rows

    def _in_places(self, keyed: Keyed, digits: int) -> Keyed:
        """Keys that hold in one province (2 digits) or city (4): that in the name, and that of the row's fields."""
        numbers, rows = keyed
        named, stated = (places[rows] for places in self._places[digits])
        other = (stated != 0) & (stated != named)
        rows = np.concatenate([rows[named != 0], rows[other]])
        places = np.concatenate([named[named != 0], stated[other]])
        numbers = np.concatenate([numbers[named != 0], numbers[other]])
        return np.where(numbers == 0, np.uint64(0), joined(numbers, places)), rows


class _Words:
    """Latin names as words: where each begins and ends in a buffer without spaces."""

    def __init__(self, texts: Texts, is_asked: Flags) -> None:
        self._lines = np.flatnonzero(is_asked & (texts.lengths > 0))
        asked = texts.slices(texts.starts[self._lines], texts.ends[self._lines])
        spaces = np.flatnonzero(asked.codes == _SPACE)
        bare = asked.without(spaces)
        self._hashes = Hashes(bare)
        counts = asked.counts(asked.codes == _SPACE) + 1
        self._first = np.cumsum(counts) - counts  # the first word of each line
        ends = np.sort(np.concatenate([spaces, asked.ends]))
        self._ends = ends - np.searchsorted(spaces, ends)
        starts = np.sort(np.concatenate([spaces + 1, asked.starts]))
        self._starts = starts - np.searchsorted(spaces, starts)
        self._line = np.repeat(np.arange(len(counts)), counts)
        self._place = np.arange(len(self._line)) - self._first[self._line]
        self._counts = counts

    def phrases(self, most: int) -> Keyed:
        """Runs of up to `most` of the first words, but for the whole line."""
        found = []
        for words in range(1, most + 1):
            at = np.flatnonzero(self._place + words <= np.minimum(self._counts, _MOST_WORDS)[self._line])
            at = at[self._counts[self._line[at]] > words]
            found.append((self._hashes.pieces(self._starts[at], self._ends[at + words - 1]), at))
        numbers, at = _together(*found)
        return numbers, self._lines[self._line[at]]

    def leads(self, most: int) -> Keyed:
        """The first words of lines that go on."""
        found = []
        for words in range(1, most + 1):
            lines = np.flatnonzero(self._counts > words)
            first = self._first[lines]
            found.append((self._hashes.pieces(self._starts[first], self._ends[first + words - 1]), lines))
        numbers, lines = _together(*found)
        return numbers, self._lines[lines]

    def initials(self) -> Keyed:
        """Initials of lines of several words."""
        links = Hashes(_buffer(np.array(_LINK_WORDS, object))).wholes()
        is_link = np.isin(self._hashes.pieces(self._starts, self._ends), links)
        return _together(self._initials_of(np.ones(len(is_link), bool)), self._initials_of(~is_link))

    def _initials_of(self, used: Flags) -> Keyed:
        letters = self._hashes.texts.codes[self._starts[used]]
        counts = np.bincount(self._line[used], minlength=len(self._lines))
        texts = Texts(letters, np.concatenate([[0], np.cumsum(counts)]))
        fits = (counts >= _INITIALS[0]) & (counts <= _INITIALS[1])
        return np.where(fits, Hashes(texts).wholes(), np.uint64(0)), self._lines

    def starts(self) -> Keyed:
        """How the first and the second word begin, as one number."""
        lines = np.flatnonzero(self._counts > 1)
        first = self._first[lines]
        pieces = []
        for word, letters in zip((first, first + 1), _STARTS, strict=True):
            begins = self._starts[word]
            pieces.append(self._hashes.pieces(begins, np.minimum(self._ends[word], begins + letters)))
        return joined(*pieces), self._lines[lines]


def _buffer(texts: Column) -> Texts:
    return Texts.of(pa.array(texts, pa.string()))


def _heads(texts: Texts, letters: int) -> Numbers:
    """The number of the first letters of each text; 0 where it has fewer."""
    heads = Hashes(texts.slices(texts.starts, np.minimum(texts.ends, texts.starts + letters))).wholes()
    return np.where(texts.lengths >= letters, heads, np.uint64(0))


def _unspaced(texts: Texts) -> Texts:
    return texts.without(np.flatnonzero(texts.codes == _SPACE))


def _together(*keyed: Keyed) -> Keyed:
    return np.concatenate([numbers for numbers, _ in keyed]), np.concatenate([rows for _, rows in keyed])


def _among(keyed: Keyed, numbers: Numbers | None) -> Keyed:
    if numbers is None:
        return keyed
    kept = keys_asked_for(numbers, keyed[0])[0]
    return keyed[0][kept], keyed[1][kept]


def join_keys(given: Keyed, held: Keyed, most_shared: int | None) -> tuple[Rows, Rows]:
    """(row of given, row of account) of equal keys, each pair once.

    Keys of more than `most_shared` accounts find none.
    """
    asked = distinct(given[0])
    kept, at = keys_asked_for(asked, held[0])
    pairs = distinct(at.astype(np.int64) << 32 | held[1][kept].astype(np.int64))
    at, rows = pairs >> 32, pairs & 0xFFFFFFFF
    share = np.bincount(at, minlength=len(asked))
    if most_shared is not None:
        few = share[at] <= most_shared
        at, rows = at[few], rows[few]
        share = np.bincount(at, minlength=len(asked))
    first = np.cumsum(share) - share
    mine = np.searchsorted(asked, given[0])
    met = positions(first[mine], first[mine] + share[mine])
    return np.repeat(given[1], share[mine]).astype(np.int64), rows[met]


def keys_asked_for(asked: Numbers, numbers: Numbers) -> tuple[Rows, Rows]:
    """(places of the numbers that are asked for, their places in `asked`); what is asked for is distinct and in order.

    A table of flags sorts out nearly all others.
    """
    if not len(asked):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    bits = max(len(asked).bit_length() + 4, 10)
    flags = np.zeros(1 << bits, bool)
    flags[_table_places(asked, bits)] = True
    likely = np.flatnonzero(flags[_table_places(numbers, bits)])
    some = numbers[likely]
    found = np.minimum(np.searchsorted(asked, some), len(asked) - 1)
    is_asked = asked[found] == some
    return likely[is_asked], found[is_asked]


def _table_places(numbers: Numbers, bits: int) -> Rows:
    return (numbers.astype(np.uint64) * _MIXER) >> np.uint64(64 - bits)
