"""Which directory rows are one company: keys bring rows together, the judge decides on pairs, ties make clusters."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.policies.directory import DirectoryPolicy
from scoring.resolve.clusters import APART, LINK, NO_CODE, Ties, cluster_rows
from scoring.resolve.judge import NAME_BITS, describe, judge_pairs
from scoring.resolve.pairs import BIT, Pairs, compass_of, letters_of, numerals_of
from tasks.resolve.reach import COMPANIES, gather
from warehouse.steps import Work

_BITS = " ".join(f"when '{kind}' then {bit}" for kind, bit in BIT.items())
# Rows that share a key. A key is none where too many rows bear it; contacts also where many names or codes do: an
# agent's number, a group's domain. Two rows with a code each need no judge.
_PAIRS = """
create or replace temp table judged_pairs as
with asked as (select * from resolved.row_keys{of_asked}),
repeated as (
    select kind, key_hash
    from asked
    group by kind, key_hash
    having count(*) > 1 and count(*) <= {keys_up_to} and count(code_hash) < count(*)
),
borne as (select asked.* from asked semi join repeated using (kind, key_hash)),
shared as (
    select kind, key_hash
    from borne
    where kind in ('phone', 'email', 'domain', 'address')
    group by kind, key_hash
    having greatest(count(distinct named_hash), count(distinct code_hash)) >= {shared_from}
)
select one.r as one_r, other.r as other_r, bit_or(case one.kind {bits} end)::bigint as kinds
from borne as one
join borne as other on other.kind = one.kind and other.key_hash = one.key_hash and one.r < other.r
anti join shared on shared.kind = one.kind and shared.key_hash = one.key_hash
where (one.code_hash is null or other.code_hash is null) and (one.is_present or other.is_present){among}
group by one.r, other.r
"""
# A person's word, and the codes: stars around the row that comes first.
_SAID = """
insert into resolved.links
with coded as (
    select kind, key_hash, r, min(r) over (partition by key_hash) as first_r
    from resolved.row_keys
    where kind = 'code' and code_hash is not null{of_code}
),
said as (
    select decision_id, part, hash(row_id) as r, min(hash(row_id)) over (partition by decision_id, part) as first_r
    from resolved.account_decisions
    where row_id in (select row_id from staging.companies)
),
ties as (
    select first_r as one_r, r as other_r, 100 as strength, {link} as verdict, 'code' as method, 'code' as evidence
    from coded
    where r <> first_r
    union all
    select first_r, r, 90, {link}, case part when 'together' then 'person' else 'split' end, decision_id
    from said
    where part in ('together', 'apart') and r <> first_r
    union all
    select least(kept.r, apart.r), greatest(kept.r, apart.r), 0, {apart}, 'split', kept.decision_id
    from said as kept
    join said as apart on apart.decision_id = kept.decision_id and kept.part = 'kept' and apart.part = 'apart'
)
select one_r, other_r, max(strength), min(verdict), arg_max(method, strength), arg_max(evidence, strength)
from ties
where true{among}
group by one_r, other_r
"""


def link_rows(work: Work, policy: DirectoryPolicy) -> None:
    """All links anew."""
    work.execute("delete from resolved.links")
    work.execute(_PAIRS.format(of_asked="", among="", **_limits(policy)))
    _judge(work, policy, "resolved.judged_rows")
    work.execute(_SAID.format(of_code="", among="", link=LINK, apart=APART))


def link_among(work: Work, policy: DirectoryPolicy, rows: str) -> None:
    """The links among some rows (a table of r) anew; their keys count with all that bear them."""
    among = f" and one_r in (select r from {rows}) and other_r in (select r from {rows})"
    among_keys = f" and one.r in (select r from {rows}) and other.r in (select r from {rows})"
    of_asked = (
        f" semi join (select kind, key_hash from resolved.row_keys semi join {rows} using (r)) using (kind, key_hash)"
    )
    work.execute(f"delete from resolved.links where true{among}")
    work.execute(_PAIRS.format(of_asked=of_asked, among=among_keys, **_limits(policy)))
    gather(work, rows)
    work.part("resolved.judged_rows", "part_judged", {"staging.companies": COMPANIES})
    _judge(work, policy, "part_judged")
    of_code = (
        f" and key_hash in (select key_hash from resolved.row_keys semi join {rows} using (r) where kind = 'code')"
    )
    work.execute(_SAID.format(of_code=of_code, among=among, link=LINK, apart=APART))


def _limits(policy: DirectoryPolicy) -> dict[str, object]:
    return {"keys_up_to": policy.keys_up_to, "shared_from": policy.shared_from, "bits": _BITS}


def _judge(work: Work, policy: DirectoryPolicy, judged_rows: str) -> None:
    """Links of the pairs that are one company, or must be apart; `judged_rows` is the table of what rows say."""
    pairs = work.query("select one_r, other_r, kinds from judged_pairs order by one_r, other_r")
    if not pairs.num_rows:
        return
    rows = work.query(
        f"select * from {judged_rows}"
        " where r in (select one_r from judged_pairs union select other_r from judged_pairs) order by r"
    )
    named = pc.if_else(
        pc.fill_null(pc.match_substring_regex(rows["name_key"], r"\p{Han}"), False), rows["name_key"], rows["core"]
    )
    for name, values in (
        ("numerals", numerals_of(named)),
        ("compass", compass_of(named)),
        ("letters", letters_of(named)),
    ):
        rows = rows.append_column(name, values)
    r = rows["r"].to_numpy()
    a, b = (np.searchsorted(r, pairs[side].to_numpy()) for side in ("one_r", "other_r"))
    judged = judge_pairs(
        Pairs(rows, a, b, pairs["kinds"].to_numpy()), policy.points(), policy.link_from, policy.link_unnamed_from
    )
    told = judged.verdict != 0
    mask = pa.array(told)
    work.append(
        "resolved.links",
        pa.table(
            {
                "one_r": pairs["one_r"].filter(mask),
                "other_r": pairs["other_r"].filter(mask),
                "strength": judged.points[told],
                "verdict": judged.verdict[told],
                "method": _methods(judged.reasons[told], judged.is_code[told]),
                "evidence": describe(judged.reasons[told]),
            }
        ),
    )


def _methods(reasons: np.ndarray, is_code: np.ndarray) -> pa.Array:
    """How the names agree; `code` where a mended code stands on both."""
    method = describe(reasons & NAME_BITS)
    return pc.if_else(pa.array(is_code), "code", method)


def cluster_links(work: Work, rows: str | None = None) -> None:
    """resolved.clusters from the links, of all rows or of some (a table of r, with all that links tie to them).

    Rows that no link names stand by themselves.
    """
    which = "true" if rows is None else f"r in (select r from {rows})"
    inside = "" if rows is None else f" where one_r in (select r from {rows}) and other_r in (select r from {rows})"
    links = work.query(f"select one_r, other_r, strength, verdict from resolved.links{inside}")
    linked = (
        f"select r from (select distinct unnest([one_r, other_r]) as r from resolved.links) where {which} order by r"
    )
    named = work.query(linked)["r"].to_numpy()
    a, b = (np.searchsorted(named, links[side].to_numpy()) for side in ("one_r", "other_r"))
    strength, verdict = (links[column].to_numpy().astype(np.int64) for column in ("strength", "verdict"))
    first = cluster_rows(_codes(work, named, which), Ties(a, b, strength, verdict))
    work.replace("resolved.clusters", pa.table({"r": named, "root_r": named[first]}), where=which)


def _codes(work: Work, rows: np.ndarray, which: str) -> np.ndarray:
    """The number of each row's code, NO_CODE without: valid, or mended and borne by a second row of that name."""
    coded = work.query(
        f"select r, key_hash from resolved.row_keys where kind = 'code' and {which}"
        " and r in (select one_r from resolved.links union select other_r from resolved.links)"
        " and (code_hash is not null"
        " or r in (select unnest([one_r, other_r]) from resolved.links where method = 'code'))"
    )
    codes = np.full(len(rows), NO_CODE, dtype=np.int64)
    _, number = np.unique(coded["key_hash"].to_numpy(), return_inverse=True)
    codes[np.searchsorted(rows, coded["r"].to_numpy())] = number
    return codes
