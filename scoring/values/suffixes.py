"""The registrable part of host names by the public suffix list, in bulk."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.values.tables import load_yaml

if TYPE_CHECKING:
    from tldextract import TLDExtract

_LONGEST_SUFFIX = 4  # labels of a suffix that the bulk path looks at; hosts with more labels go one by one
_TAILS = tuple(r"(?:^|\.)(?P<tail>[^.]+" + r"\.[^.]+" * labels + ")$" for labels in range(_LONGEST_SUFFIX + 1))


@dataclass(frozen=True)
class Suffixes:
    """The rules of the list: `exact` ones; `starred`, what follows `*.`; `platforms`, whose customers live below."""

    exact: frozenset[str]
    starred: frozenset[str]
    platforms: frozenset[str]


@cache
def _extract() -> "TLDExtract":
    # Imported here: it brings an HTTP library along, which a run without new domains does without.
    from tldextract import TLDExtract

    # Without these two settings it asks the network for a list and writes a cache.
    return TLDExtract(suffix_list_urls=(), cache_dir=None)


@cache
def suffixes() -> Suffixes:
    """The bundled list. Registries that sell names below a name of theirs (uk.com) count as suffixes."""
    from tldextract import TLDExtract

    public = frozenset(_extract().tlds)
    with_private = TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)
    registries = frozenset(load_yaml("domains")["registries"])
    private = {rule.removeprefix("*.").removeprefix("!") for rule in with_private.tlds if rule not in public}
    return Suffixes(
        frozenset(rule for rule in public if rule[0] not in "*!") | registries,
        frozenset(rule[2:] for rule in public if rule.startswith("*.")),
        frozenset(private - registries),
    )


def registrable_of(host: str) -> str | None:
    """The registrable part of one host (lower case, no port); null where it is under no suffix or is one itself."""
    labels = host.split(".")
    for registry in suffixes().exact & frozenset(".".join(labels[i:]) for i in range(1, len(labels))):
        if registry in load_yaml("domains")["registries"]:
            return ".".join(labels[-registry.count(".") - 2 :])
    return _extract()(host).top_domain_under_public_suffix or None


def tails_of(hosts: pa.Array) -> list[pa.Array]:
    """The last label of each host, the last two, and so on to one more than a suffix has; null where it has fewer."""
    return [pc.struct_field(pc.extract_regex(hosts, pattern), "tail") for pattern in _TAILS]


def registrable_parts(hosts: pa.Array, tails: list[pa.Array]) -> pa.Array:
    """`registrable_of` for many distinct hosts: by hash lookups of their ends; singly only where the list is odd."""
    exact, starred = (pa.array(sorted(rules), pa.string()) for rules in (suffixes().exact, suffixes().starred))
    found = pa.nulls(len(hosts), pa.string())
    for tail, longer in pairwise(tails):
        found = pc.if_else(pc.is_in(tail, exact), longer, found)
    odd = pc.match_substring_regex(hosts, r"[^a-z0-9.-]|xn--|\.\.|(?:\.[^.]*){5}")
    for tail in tails:
        odd = pc.or_(odd, pc.is_in(tail, starred))
    mask = pc.fill_null(odd, False)
    single = [registrable_of(host) for host in hosts.filter(mask).to_pylist()]
    return pc.replace_with_mask(found, mask, pa.array(single, pa.string()))


def is_on_platform(hosts: pa.Array, tails: list[pa.Array]) -> pa.Array:
    """Whether a host lives under a name that its owner rents out (myshopify.com, github.io), or is such a name."""
    platforms = pa.array(sorted(suffixes().platforms), pa.string())
    flags = np.zeros(len(hosts), dtype=bool)
    for tail in tails:
        flags |= pc.fill_null(pc.is_in(tail, platforms), False).to_numpy(zero_copy_only=False)
    return pa.array(flags)
