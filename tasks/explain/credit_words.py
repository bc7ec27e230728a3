"""How amounts, campaigns and models are said where deals and campaigns are explained."""

from typing import Any

from abmloop.messages import say

BASES = ("cash", "signed", "invoiced", "pipeline")  # the nearest to money first


def money_words(amount: Any, language: str) -> str:
    """An amount with thousands set apart; in words where it is not known."""
    return say("attribute_unknown_amount", language) if amount is None else f"{amount:,.2f}"


def campaign_words(name: str, language: str) -> str:
    """The campaign's name, or in words that nothing earned it."""
    return say("attribute_unattributed", language) if name == "(unattributed)" else name


def basis_words(basis: str, language: str) -> str:
    """What the amounts of a basis are."""
    return say(f"attribute_basis_{basis}", language)
