"""What we say to people, in English and Chinese: one YAML file per area, `code: {en: …, zh: …}`."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from abmloop.errors import AbmError
from abmloop.yaml_text import load_yaml

LANGUAGES = ("en", "zh")


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        for code, texts in (load_yaml(path.read_text(encoding="utf-8")) or {}).items():
            if code in found or set(texts) != set(LANGUAGES):
                raise AbmError(f"{path.name}: {code}: needs exactly the languages {LANGUAGES} and to be named once")
            found[code] = texts
    return found


def say(code: str, language: str = "en", **fields: Any) -> str:
    """The message of that code in that language, its `{fields}` filled in. Raises AbmError for an unknown code."""
    texts = _catalogue().get(code)
    if texts is None:
        raise AbmError(f"no message {code!r} in abmloop/messages; add it there in {LANGUAGES}")
    return texts.get(language, texts["en"]).format(**fields)


class Said(str):
    """A message of ours that can still be told in either language; as text it is the English one."""

    code: str
    fields: dict[str, Any]

    def told(self, language: str) -> str:
        """The same in that language; fields that are messages themselves come with it."""
        return say(self.code, language, **{name: tell(one, language) for name, one in self.fields.items()})


class Together(Said):
    """Several messages in one, with something between them."""

    parts: tuple[str, ...]
    between: str

    def told(self, language: str) -> str:
        """All of them in that language; what is plain text stays as it is."""
        return self.between.join(str(tell(one, language)) for one in self.parts)


def tell(text: Any, language: str) -> Any:
    """A message in that language; anything else as it is."""
    return text.told(language) if isinstance(text, Said) else text


def together(parts: Iterable[str], between: str = "\n") -> Together:
    """Messages, one below the other, as one that can still be told in either language."""
    given = tuple(parts)
    message = Together(between.join(given))
    message.parts, message.between = given, between
    return message


def said(code: str, **fields: Any) -> Said:
    """The message of that code for an error, which is raised where nobody knows who will read it. Raises as `say`."""
    message = Said(say(code, **fields))
    message.code, message.fields = code, fields
    return message


def has_message(code: str) -> bool:
    """Whether the catalogue holds that code."""
    return code in _catalogue()


def named(kind: str, code: str, language: str = "en") -> str:
    """The name of a code of ours (`kind_code` in the catalogue) in that language; what a user named stays as it is."""
    texts = _catalogue().get(f"{kind}_{code}")
    return texts.get(language, texts["en"]) if texts else str(code)
