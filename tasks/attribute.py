"""The step that shares every deal's amounts among the touches before it, on every basis and by every model."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.calendar import end_of_local_day
from abmloop.errors import AbmError
from abmloop.run import Run, StepCounts
from scoring.attribution.columns import SECOND_US, Ints, codes
from scoring.attribution.credits import Amounts, CreditNames, CreditRows
from scoring.attribution.journeys import Journeys, build_journeys
from scoring.attribution.paths import Paths
from scoring.attribution.renewals import halved, inheriting
from scoring.attribution.rules import Weights, anchor_names, weigh, with_roles
from scoring.attribution.spread import journey_paths, weigh_paths, with_dealless_parties
from scoring.policies.attribution import PARTICIPATION, PATH_MODELS, AttributionPolicy, plain_word
from tasks.policies import load_policy
from warehouse.steps import Work, step

NO_DEAL = "(no deal)"
_DEALS = """
select deal_id, party_id, type, status, created_at, closed_at, lead_created_at from core.deals
union all
select $no_deal, null, null, 'lost', null, null, null
order by deal_id
"""
_PEOPLE = r"""
select deal_id, person_id, regexp_replace(role, '[\s_-]', '', 'g') as role from core.deal_contacts
where $mode <> 'primary_contact' or is_primary order by deal_id, person_id
"""
# A hundred times a DECIMAL(18) may be too much for one.
_AMOUNTS = """
select deal_id, basis, (amount::decimal(28, 2) * 100)::bigint as cents from core.deal_amounts order by basis, deal_id
"""
_UNBALANCED = """
with wanted as (
    select deal_id, basis, model, amount
    from core.deal_amounts, (select model from rules.attribution where not is_influence)
),
credited as (
    select deal_id, basis, model, sum(credit) as credit, sum(weight) as weight from scored.credits group by all
)
select deal_id, basis, model, amount, credit, weight
from wanted left join credited using (deal_id, basis, model)
where amount is distinct from credit or weight is null or abs(weight - 1) > 1e-9
limit 1
"""


class Tables(Protocol):
    """Where a SELECT can be asked: a step's work, or the past in a what-if."""

    def query(self, sql: str, **parameters: Any) -> pa.Table:
        """The rows."""


def load_attribution_rules(work: Work, policy: AttributionPolicy) -> None:
    """Put what SQL needs of `attribution.yaml` into tables; core is built on them."""
    words = [(plain_word(word), "won") for word in policy.deal_stages.won]
    words += [(plain_word(word), "lost") for word in policy.deal_stages.lost]
    stages = dict(sorted(words))
    work.replace("rules.deal_stages", pa.table({"word": list(stages), "status": list(stages.values())}))
    roles = sorted({plain_word(role) for role in policy.decision_roles})
    work.replace("rules.decision_roles", pa.table({"word": pa.array(roles, pa.string())}))
    work.replace(
        "rules.attribution",
        pa.table(
            {
                "model": list(policy.models),
                "position": list(range(1, len(policy.models) + 1)),
                "is_influence": [model == PARTICIPATION for model in policy.models],
                "why": [policy.custom[model].why if model in policy.custom else "" for model in policy.models],
            }
        ),
    )
    settings = ("signed_without_orders", "renewal_grace_days", "gross_margin", "customer_life_years")
    work.replace("rules.attribution_settings", pa.table({name: [getattr(policy, name)] for name in settings}))


def attribute(run: Run) -> StepCounts:
    """Share the deals' amounts into `scored.credits`; raises AbmError if a cent were lost on any basis."""
    policy = load_policy(run, AttributionPolicy)
    with step(run, "attribute") as work:
        load_attribution_rules(work, policy)
        work.build("core.deal_amounts", "scored.credit_touches")
        share = Share(work, end_of_local_day(run.as_of, run.timezone), policy)
        amounts = deal_amounts(work, share.deals)
        rows = 0
        store: Callable[[str, pa.Table], int] = work.replace
        for model in policy.models:  # one model at a time: all of them together would fill the memory
            rows += store("scored.credits", _with_rules(share.credits(model, amounts), run))
            store = work.append
        work.replace("scored.deal_touches", share.deal_touches())
        _check_balance(work)
        work.count(touches=share.touches.num_rows, deals=share.deals.num_rows - 1, rows_out=rows)
    return work.counts


def _with_rules(rows: pa.Table, run: Run) -> pa.Table:
    return rows.append_column("config_hash", pa.repeat(run.config_hash, rows.num_rows))


class Share:
    """The deals' journeys under the policy, and each model's credits on them."""

    def __init__(self, tables: Tables, end: datetime, policy: AttributionPolicy) -> None:
        """Touches, deals and people as the tables tell them; `end` (aware) is where open deals' windows end."""
        self.policy = policy
        self.touches = tables.query("select * from scored.credit_touches order by touch_id")
        self.deals = tables.query(_DEALS, no_deal=NO_DEAL)
        self.as_of_end = int(end.timestamp()) * SECOND_US + SECOND_US - 1
        self.roles = tables.query(_PEOPLE, mode="deal_contacts")
        self.people = None if policy.people == "all_people" else tables.query(_PEOPLE, mode=policy.people)
        self.names = CreditNames.of(self.touches, self.deals)
        self.own = self._journeys(self.deals)
        self.inherited = None if policy.renewals == "own" else self._journeys(inheriting(self.deals))
        self.paths = self._paths() if set(policy.models) & set(PATH_MODELS) else None

    def _journeys(self, deals: pa.Table) -> Journeys:
        people = None
        if self.people is not None:
            row = pc.index_in(self.people["deal_id"], value_set=deals["deal_id"].combine_chunks())
            people = pa.table({"deal": row, "person_id": self.people["person_id"]}).filter(pc.is_valid(row))
        return build_journeys(self.touches, deals, self.policy, self.as_of_end, people)

    def _paths(self) -> Paths:
        """One path a deal, and one that did not convert for every account with touches and no deal."""
        everyone = with_dealless_parties(self.deals, self.touches)
        journeys = build_journeys(self.touches, everyone, self.policy, self.as_of_end)
        status = np.asarray(everyone["status"].to_pylist(), dtype=object)
        return journey_paths(journeys, status == "won", status == "lost", self.policy.path_by)

    def credits(self, model: str, amounts: list[Amounts]) -> pa.Table:
        """The model's credit rows on every basis."""
        journeys, weights = self._weighed(model)
        return CreditRows(journeys, self.names).of_model(model, weights, amounts)

    def _weighed(self, model: str) -> tuple[Journeys, Weights]:
        own = self.own, self._weights(self.own, model)
        if self.inherited is None:
            return own
        inherited = self.inherited, self._weights(self.inherited, model)
        if self.policy.renewals == "inherit" or model == PARTICIPATION:
            return inherited
        return halved(own, inherited)

    def _weights(self, journeys: Journeys, model: str) -> Weights:
        roles = self._roles_of(journeys)
        if model in PATH_MODELS and self.paths is not None:
            weights = weigh_paths(journeys, self.paths, model, self.policy.markov_order, self.policy.path_by)
        else:
            weights = weigh(
                journeys, model, self.policy, roles, pc.take(self.touches["type"], pa.array(journeys.touch))
            )
        return with_roles(journeys, weights, roles, self.policy.role_weights)

    def _roles_of(self, journeys: Journeys) -> Any:
        """(rows,): the role that the touch's person has on the deal; null without one."""
        if not self.roles.num_rows:
            return pa.nulls(len(journeys.deal), pa.string())
        deal = pc.index_in(self.roles["deal_id"], value_set=self.deals["deal_id"].combine_chunks())
        (person, touching), _ = codes(self.roles["person_id"], self.touches["person_id"])
        known = _pair(np.asarray(pc.fill_null(deal, -1).to_numpy()).astype(np.int64), person)
        wanted = _pair(journeys.deal, touching[journeys.touch])
        order = np.argsort(known)
        place = np.minimum(np.searchsorted(known[order], wanted), len(known) - 1)
        found = (known[order][place] == wanted) & (wanted >= 0)
        return pc.take(self.roles["role"], pa.array(order[place], mask=~found))

    def deal_touches(self) -> pa.Table:
        """One row per deal and touch of its journey."""
        journeys = self.own if self.inherited is None or self.policy.renewals == "split" else self.inherited
        position = np.arange(len(journeys.deal)) - journeys.offsets[:-1][journeys.deal] + 1
        return pa.table(
            {
                "deal_id": pc.take(self.deals["deal_id"], pa.array(journeys.deal)),
                "touch_id": pc.take(self.touches["touch_id"], pa.array(journeys.touch)),
                "position": position,
                "anchors": anchor_names(journeys),
            }
        )


def _pair(deal: Ints, person: Ints) -> Ints:
    """One number for (deal, person); -1 where either is unknown."""
    return np.where((deal < 0) | (person < 0), -1, (deal << 32) + person)


def deal_amounts(tables: Tables, deals: pa.Table) -> list[Amounts]:
    """What each deal comes to, one entry per basis."""
    found = tables.query(_AMOUNTS)
    row = np.asarray(pc.index_in(found["deal_id"], value_set=deals["deal_id"].combine_chunks()).to_numpy())
    basis = np.asarray(found["basis"].to_pylist(), dtype=object)
    cents = np.asarray(pc.fill_null(found["cents"], 0).to_numpy())
    known = np.asarray(pc.is_valid(found["cents"]).to_numpy())
    amounts = []
    for name in dict.fromkeys(basis) or ("pipeline",):
        of_basis = np.flatnonzero(basis == name)
        amounts.append(Amounts(str(name), row[of_basis], cents[of_basis], known[of_basis]))
    return amounts


def _check_balance(work: Work) -> None:
    """Every deal's credits come to its amount, on every basis and by every model that distributes."""
    if broken := work.execute(_UNBALANCED).fetchone():
        deal, basis, model, amount, credit, weight = broken
        raise AbmError(
            f"attribute: deal {deal}, {basis}, {model}: credits {credit} (weights {weight}) against an amount of "
            f"{amount}. This is a defect of ours; nothing was kept of this step."
        )
