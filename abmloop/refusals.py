"""How a refusal reads: one vocabulary for answers to texts, events of tools, touches and notes of the CRM.

Matched in columns, by SQL: `plain` of what was said against the pattern of a reading.
"""

from functools import cache
from pathlib import Path
from typing import Any

from abmloop.yaml_text import load_yaml

FILE = Path(__file__).with_name("refusals.yaml")
# What a text may be asked: is it a refusal, a complaint, either as an answer to what we sent.
READINGS = ("refusal", "complaint", "reply_refusal")
_WIDE = "".join(chr(code + 0xFEE0) for code in range(0x21, 0x7F))
_NARROW = "".join(chr(code) for code in range(0x21, 0x7F))


@cache
def _declared() -> dict[str, Any]:
    return dict(load_yaml(FILE.read_text(encoding="utf-8")))


@cache
def patterns() -> dict[str, str]:
    """Reading → its pattern, and `no_refusal`: what is taken away before any is looked for."""
    declared = _declared()
    anywhere = "|".join([*declared["refusal"], *declared["complaint"]])
    whole = "|".join(str(word) for word in declared["reply_whole"])
    short = "|".join(declared["reply_short"])
    return {
        "no_refusal": "|".join(declared["no_refusal"]),
        "refusal": "|".join(declared["refusal"]),
        "complaint": "|".join(declared["complaint"]),
        "reply_refusal": f"{anywhere}|^({whole})$|^({short})$",
        "no_consent": "|".join(no_consent().values()),
    }


@cache
def no_consent() -> dict[str, str]:
    """How a consent came about that is none to us (bought, scraped, public, register) → the pattern of it."""
    declared = _declared()
    whole = {kind: "|".join(words) for kind, words in declared["no_consent_whole"].items()}
    return {kind: f"{'|'.join(said)}|^({whole[kind]})$" for kind, said in declared["no_consent"].items()}


def plain(value: str) -> str:
    """SQL of a text as patterns read it: lower case, half width, one space for whatever is no letter and no digit."""
    wide, narrow = (letters.replace("'", "''") for letters in (_WIDE, _NARROW))
    half = f"lower(translate({value}, '{wide}', '{narrow}'))"
    return rf"trim(regexp_replace({half}, '[^\p{{L}}\p{{N}}]+', ' ', 'g'))"


def reads_as(value: str, reading: str) -> str:
    """SQL: whether a text reads as that; false where there is none.

    "Not unsubscribed" is a fact a tool notes; whoever answers "I have not been unsubscribed" still wants to be.
    """
    text = plain(value)
    if reading != "reply_refusal":
        text = f"regexp_replace({text}, '{patterns()['no_refusal']}', ' ', 'g')"
    return f"coalesce(regexp_matches({text}, '{patterns()[reading]}'), false)"
