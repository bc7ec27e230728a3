"""Why a record is held back, in words: the states of the gate and of the marts by their names."""

from abmloop.messages import has_message, named, say

_STATES = ("not_granted", "suppressed", "refused")


def tell_held(state: str, language: str) -> str:
    """A state as people read it, such as `call_refused (event)`; what it was judged by stays beside it."""
    code, blank, evidence = state.partition(" ")
    word, colon, _ = code.partition(":")
    return f"{_name(word, language)}{colon}{blank}{evidence}"


def _name(word: str, language: str) -> str:
    of = next((one for one in _STATES if word.endswith(f"_{one}")), None)
    if of is None or has_message(f"held_{word}"):
        return named("held", word, language)
    purpose = named("purpose", word.removesuffix(f"_{of}"), language)
    return say("held_of", language, purpose=purpose, state=named("held", of, language))
