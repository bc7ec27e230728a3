"""What the parts of split deals come to: on each axis and every basis the deals' amounts, checked and kept."""

from __future__ import annotations

import pyarrow.compute as pc

from abmloop.errors import AbmError
from abmloop.messages import said
from warehouse.steps import Work

_BALANCES = """
with shared as (
    select axis, deal_id, basis, count(*) as parts, sum(amount) as amount from core.part_amounts group by all
)
select $as_of::date as as_of, shared.axis, amounts.basis, count(*) as deals,
       count(*) filter (shared.parts > 1) as split_deals, coalesce(sum(amounts.amount), 0) as amount,
       coalesce(sum(shared.amount), 0) as shared,
       coalesce(sum(shared.amount), 0) - coalesce(sum(amounts.amount), 0) as difference,
       count(*) filter (amounts.amount is distinct from shared.amount) as unequal_deals
from core.deal_amounts as amounts
cross join (values ('account'), ('owner')) as axes(axis)
left join shared on shared.axis = axes.axis and shared.deal_id = amounts.deal_id and shared.basis = amounts.basis
group by shared.axis, amounts.basis
"""


def check_parts(work: Work) -> None:
    """Keep in quality.split_balances what all parts come to; AbmError where those of a deal miss its amount."""
    balances = work.query(_BALANCES, as_of=work.run.as_of)
    work.replace("quality.split_balances", balances)
    broken = balances.filter(pc.greater(balances["unequal_deals"], 0))
    for row in broken.slice(0, 1).to_pylist():
        named = {name: row[name] for name in ("basis", "axis", "shared", "amount")}
        raise AbmError(said("attribute_parts_apart", deals=row["unequal_deals"], **named))
