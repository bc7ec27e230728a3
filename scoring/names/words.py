"""The word lists of names: forms, branches, industry words, placeholders; their reasons stand in words.yaml."""

from functools import lru_cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from abmloop.yaml_text import load_yaml


class Words(BaseModel):
    """Lists as in words.yaml, where each says what it is for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    placeholders: tuple[str, ...]
    generic_names: tuple[str, ...]
    ambiguous_places: tuple[str, ...]
    known_districts: tuple[str, ...]
    place_nicknames: dict[str, str]
    forms: dict[str, tuple[str, ...]]
    full_forms: tuple[str, ...]
    forms_before_branch: tuple[str, ...]
    partnership_words: tuple[str, ...]
    notes: tuple[str, ...]
    note_beginnings: tuple[str, ...]
    branch_suffixes: tuple[str, ...]
    department_words: tuple[str, ...]
    latin_department_words: tuple[str, ...]
    industry_words: tuple[str, ...]
    surnames: tuple[str, ...]
    latin_forms: dict[str, tuple[str, ...]]
    share_words: tuple[str, ...]


@lru_cache(maxsize=1)
def load_words() -> Words:
    """The lists, read once."""
    text = (files("scoring.names") / "words.yaml").read_text(encoding="utf-8")
    return Words.model_validate(load_yaml(text))
