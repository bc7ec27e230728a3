"""What the step `attribute` has to credit anew: the deals of which anything changed that their credits hang on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.attribution.columns import Flags
from scoring.attribution.credits import Amounts
from scoring.attribution.digests import Digests
from tasks.code import code_hash
from warehouse.steps import Work

RECREDITED = "recredited"
_CODE = ("scoring/attribution", "scoring/policies/attribution.py", "tasks/attribute/step.py", "tasks/attribute/news.py")
_MOST_IN_PART = 0.5  # with more of the deals changed, writing all of them is the shorter way
_FORMER = """
insert into ops.former_credits by name
select models.as_of, models.policy as rules, credits.campaign_id, credits.model, credits.basis,
       sum(credits.credit)::decimal(18, 2) as attributed_amount, sum(credits.weight) as deals
from scored.credits
join ops.credit_models as models using (model)
where models.policy <> $policy and not exists (
    from ops.former_credits as kept where kept.as_of = models.as_of and kept.rules = models.policy
)
group by all
"""


@dataclass(frozen=True)
class News:
    """`deals` (deals,): those to be credited anew; `whole`: models of which every deal is; `is_all`: just everything.

    The temporary table `recredited` names the deals, also those that are gone.
    """

    deals: Flags
    whole: tuple[str, ...]
    is_all: bool


def take_news(work: Work, deal_id: pa.Array, digests: Digests, shares: dict[str, str], policy: str) -> News:
    """What changed since the step wrote its credits last, and from now on counts as taken.

    `digests`: one per deal, or for each of its parts; `shares`: model → a hash of what it shares by beyond the deal
    itself (path models), else empty; `policy`: attribution.yaml as it holds. Other rules or code: all is new.
    """
    rules = f"{work.run.config_hash} {code_hash('scored', *_CODE)}"
    known = {row["model"]: row for row in work.query("select * from ops.credit_models").to_pylist()}
    is_all = any(known.get(model, {}).get("rules") != rules for model in shares)
    changed = _changed(work, deal_id, digests)
    is_all = is_all or bool(changed.mean() > _MOST_IN_PART)
    whole = tuple(model for model, told in shares.items() if known.get(model, {}).get("shares") != told)
    if is_all and known:
        work.execute(_FORMER, {"policy": policy})
    _remember(work, deal_id, digests, changed)
    told = [
        {"model": model, "rules": rules, "policy": policy, "shares": share, "as_of": work.run.as_of}
        for model, share in shares.items()
    ]
    work.replace("ops.credit_models", pa.Table.from_pylist(told))
    return News(changed, whole, is_all)


def _changed(work: Work, deal_id: pa.Array, digests: Digests) -> Flags:
    """(deals,): whose digest is another one than before."""
    before = work.query("select deal_id, digest from ops.credit_digests")
    if not before.num_rows:
        return np.ones(len(deal_id), dtype=np.bool_)
    row = np.asarray(pc.fill_null(pc.index_in(deal_id, value_set=before["deal_id"].combine_chunks()), -1).to_numpy())
    digest = before["digest"].to_numpy()
    return np.asarray((row < 0) | (digest[row] != digests))


def _remember(work: Work, deal_id: pa.Array, digests: Digests, changed: Flags) -> None:
    """The temporary table of deals to credit anew, those gone among them; the digests for the next time."""
    named = pa.table({"deal_id": deal_id.filter(pa.array(changed))})
    work.con.register("changed_deals", named)
    work.execute(f"create or replace temp table {RECREDITED} as select distinct deal_id from changed_deals")
    work.con.unregister("changed_deals")
    now = pa.table({"deal_id": deal_id, "digest": pa.array(digests, pa.uint64())})
    now = now.group_by(["deal_id", "digest"]).aggregate([])  # the parts of a deal bear the digest of the whole
    work.execute("create or replace temp table former_deals as select deal_id from ops.credit_digests")
    work.replace("ops.credit_digests", now)
    work.execute(f"insert into {RECREDITED} from former_deals anti join ops.credit_digests using (deal_id)")


def only(amounts: Sequence[Amounts], deals: Flags) -> list[Amounts]:
    """The amounts of those deals."""
    found = []
    for each in amounts:
        kept = deals[each.deal]
        found.append(Amounts(each.basis, each.deal[kept], each.cents[kept], each.known[kept]))
    return found
