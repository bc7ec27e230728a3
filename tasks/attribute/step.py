"""The step that shares every deal's amounts among the touches before it, on every basis and by every model."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from hashlib import sha256
from typing import Any, Protocol
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.calendar import end_of_local_day
from abmloop.errors import AbmError
from abmloop.messages import said
from abmloop.run import Run, StepCounts
from scoring.attribution.columns import SECOND_US, Flags, Ints, codes, ranks
from scoring.attribution.credits import Amounts, CreditNames, CreditRows
from scoring.attribution.digests import Digests, amount_digests, joined, journey_digests, whole_digests
from scoring.attribution.journeys import Journeys, build_journeys
from scoring.attribution.paths import Paths
from scoring.attribution.renewals import halved, inheriting
from scoring.attribution.rules import Weights, anchor_names, weigh, with_roles
from scoring.attribution.spread import journey_paths, path_shares, spread_shares, with_dealless_parties
from scoring.policies.attribution import PARTICIPATION, PATH_MODELS, AttributionPolicy, plain_word
from tasks.attribute.news import RECREDITED, News, only, take_news
from tasks.attribute.parts import check_parts
from tasks.policies import load_policy
from warehouse.steps import Work, step

NO_DEAL = "(no deal)"
# A deal that is split over companies is a row for each of them: its parts are credited like deals of their own.
_DEALS = """
select deal_id, parts.part::integer as part, parts.share, parts.party_id, deals.type, deals.status, deals.created_at,
       deals.closed_at, deals.lead_created_at
from core.deals
join core.deal_parts as parts using (deal_id)
where parts.axis = 'account'
union all
select $no_deal, 1, 1, null, null, 'lost', null, null, null
order by deal_id, part
"""
_PEOPLE = r"""
select deal_id, parts.part::integer as part, contacts.person_id, regexp_replace(role, '[\s_-]', '', 'g') as role
from core.deal_contacts as contacts
join core.deal_parts as parts using (deal_id)
where parts.axis = 'account' and ($mode <> 'primary_contact' or contacts.is_primary)
order by deal_id, part, person_id
"""
# A hundred times a DECIMAL(18) may be too much for one.
_AMOUNTS = """
select deal_id, part::integer as part, basis, (amount::decimal(28, 2) * 100)::bigint as cents
from core.part_amounts
where axis = 'account'
order by basis, deal_id, part
"""
_UNBALANCED = """
with wanted as (
    select deal_id, basis, model, amount
    from core.deal_amounts, (select model from rules.attribution where not is_influence)
    where list_contains($whole, model) or deal_id in (select deal_id from recredited)
),
credited as (
    select deal_id, basis, model, sum(credit) as credit, sum(weight) as weight
    from scored.credits
    where list_contains($whole, model) or deal_id in (select deal_id from recredited)
    group by all
)
select deal_id, basis, model, amount, credit, weight
from wanted left join credited using (deal_id, basis, model)
where amount is distinct from credit or weight is null or abs(weight - 1) > 1e-9
limit 1
"""
_BALANCES = """
with wanted as (
    select basis, count(*) as deals, count(*) filter (deal_id in (select deal_id from recredited)) as recredited_deals,
           coalesce(sum(amount), 0) as amount
    from core.deal_amounts
    group by all
),
credited as (
    select model, basis, sum(credit) as credited, sum(credit) filter (campaign_id = '(unattributed)') as unattributed,
           sum(credit) filter (deal_id = '(no deal)') as suspended
    from scored.credits
    group by all
)
select $as_of::date as as_of, models.model, wanted.basis, wanted.deals,
       case when list_contains($whole, models.model) then wanted.deals else wanted.recredited_deals end
           as recredited_deals,
       wanted.amount, coalesce(credited, 0) as credited, coalesce(unattributed, 0) as unattributed,
       coalesce(suspended, 0) as suspended, coalesce(credited, 0) - wanted.amount as difference
from rules.attribution as models
cross join wanted
left join credited on credited.model = models.model and credited.basis = wanted.basis
where not models.is_influence
"""
# What of a touch its credits hang on, beside that it counts; its type only for own models that name types.
_TOUCHES = """
select *, (occurred_at at time zone 'UTC' at time zone $timezone)::date as local_day,
       hash(touch_id, campaign_id, channel, occurred_at, case when $by_type then type end) as digest
from scored.credit_touches
where $all_parties or party_id in (select party_id from core.deal_parts)
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
    """Share the deals' amounts into `scored.credits`; raises AbmError if a cent were lost on any basis.

    Deals of which nothing changed keep the credits they have; a path model's shares hang on all deals, so that all are
    credited anew by it where they changed.
    """
    policy = load_policy(run, AttributionPolicy)
    with step(run, "attribute") as work:
        load_attribution_rules(work, policy)
        work.build("core.deal_amounts", "core.part_amounts", "scored.credit_touches")
        check_parts(work)
        share = Share(work, run.as_of, run.timezone, policy)
        amounts = deal_amounts(work, share.deals)
        deal_id = share.deals["deal_id"].combine_chunks()
        news = take_news(work, deal_id, share.digests(amounts), share.hashes(), policy.model_dump_json())
        rows = _write_all(work, share, amounts) if news.is_all else _write_part(work, share, amounts, news)
        whole = list(policy.models if news.is_all else news.whole)
        _check_balance(work, whole)
        deals, changed = int(share.is_first.sum()) - 1, int((news.deals & share.is_first).sum())
        work.count(touches=share.touches.num_rows, deals=deals, rows_out=rows)
        work.count(recredited_deals=deals if news.is_all else changed)
    return work.counts


def _write_all(work: Work, share: Share, amounts: list[Amounts]) -> int:
    """Every credit of every model; gives the rows."""
    rows = 0
    store: Callable[[str, pa.Table], int] = work.replace
    for model in share.policy.models:  # one model at a time: all of them together would fill the memory
        rows += store("scored.credits", _with_rules(share.credits(model, amounts), work.run))
        store = work.append
    work.replace("scored.deal_touches", share.deal_touches())
    return rows


def _write_part(work: Work, share: Share, amounts: list[Amounts], news: News) -> int:
    """The credits of the deals that changed, and all credits of the models that did; gives the rows."""
    is_old = f"deal_id in (select deal_id from {RECREDITED})"
    work.execute(f"delete from scored.credits where list_contains($whole, model) or {is_old}", {"whole": news.whole})
    some, rows = only(amounts, news.deals), 0
    for model in share.policy.models:
        if model in news.whole:
            rows += work.append("scored.credits", _with_rules(share.credits(model, amounts), work.run))
        elif news.deals.any():
            rows += work.append("scored.credits", _with_rules(share.credits(model, some, news.deals), work.run))
    work.replace("scored.deal_touches", share.deal_touches(news.deals), where=is_old)
    return rows


def _with_rules(rows: pa.Table, run: Run) -> pa.Table:
    return rows.append_column("config_hash", pa.repeat(run.config_hash, rows.num_rows))


class Share:
    """The deals' journeys under the policy, and each model's credits on them."""

    def __init__(self, tables: Tables, as_of: date, timezone: str, policy: AttributionPolicy) -> None:
        """Touches, deals and people as the tables tell them; open deals' windows end with the day `as_of`."""
        self.policy = policy
        self.touches = _touches(tables, timezone, policy)
        self.deals = tables.query(_DEALS, no_deal=NO_DEAL)
        self.is_first: Flags = self.deals["part"].to_numpy() == 1
        self.deal_number: Ints = np.cumsum(self.is_first) - 1
        self.as_of_end = int(end_of_local_day(as_of, timezone).timestamp()) * SECOND_US + SECOND_US - 1
        self.roles = tables.query(_PEOPLE, mode="deal_contacts")
        self.people = None if policy.people == "all_people" else tables.query(_PEOPLE, mode=policy.people)
        self.names = CreditNames(self.touches, self.deals)
        self.own = self._journeys(self.deals)
        self.inherited = None if policy.renewals == "own" else self._journeys(inheriting(self.deals))
        paths = self._paths() if set(policy.models) & set(PATH_MODELS) else None
        self.shares = {
            model: path_shares(paths, model, policy.markov_order)
            for model in policy.models
            if paths is not None and model in PATH_MODELS
        }
        self.share_names = paths.channels if paths is not None else []

    def _journeys(self, deals: pa.Table) -> Journeys:
        people = None
        if self.people is not None:
            row = _rows_of(self.people, deals)
            people = pa.table({"deal": row, "person_id": self.people["person_id"]}).filter(pc.is_valid(row))
        return build_journeys(self.touches, deals, self.policy, self.as_of_end, people)

    def _paths(self) -> Paths:
        """One path a deal, and one that did not convert for every account with touches and no deal."""
        everyone = with_dealless_parties(self.deals, self.touches)
        journeys = build_journeys(self.touches, everyone, self.policy, self.as_of_end)
        status = np.asarray(everyone["status"].to_pylist(), dtype=object)
        paths = journey_paths(journeys, status == "won", status == "lost", self.policy.path_by)
        return paths.weighed(np.asarray(pc.fill_null(everyone["share"], 1.0).to_numpy()))

    def credits(self, model: str, amounts: list[Amounts], deals: Flags | None = None) -> pa.Table:
        """The model's credit rows on every basis, of all deals or of some ((deals,) flags)."""
        journeys, weights = self._weighed(model, deals)
        return CreditRows(journeys, self.names, self.deals["share"].to_numpy()).of_model(model, weights, amounts)

    def hashes(self) -> dict[str, str]:
        """Model → a hash of what it shares by beyond the deal itself; empty for all but path models."""
        names = "\0".join(self.share_names).encode()
        return {
            model: sha256(names + self.shares[model].tobytes()).hexdigest() if model in self.shares else ""
            for model in self.policy.models
        }

    def digests(self, amounts: list[Amounts]) -> Digests:
        """(parts,): one number for everything that their whole deal's credits and its journey hang on."""
        touch = self.touches["digest"].to_numpy()
        party = pc.fill_null(self.deals["party_id"], "").to_pylist()
        parts = [np.array([crc32(name.encode()) for name in party], dtype=np.uint64)]
        parts.append(np.ascontiguousarray(self.deals["share"].to_numpy()).view(np.uint64))
        sides = [self.own] if self.inherited is None else [self.own, self.inherited]
        if self.inherited is not None and self.policy.renewals == "split":
            sides.append(self._weighed("linear", None)[0])  # anchors fall on touches of both together
        parts += [journey_digests(journeys, touch, self._role_digests(journeys)) for journeys in sides]
        return whole_digests(joined(amount_digests(amounts, self.deals.num_rows), *parts), self.deal_number)

    def _role_digests(self, journeys: Journeys) -> Digests | None:
        """(rows,): what tells the roles apart, where the policy asks for them."""
        if not self.policy.role_weights and not any(model.roles for model in self.policy.custom.values()):
            return None
        (number,), names = codes(self._roles_of(journeys))
        of_name = np.array([*(crc32(str(name).encode()) for name in names), 0], dtype=np.uint64)
        return np.asarray(of_name[number])

    def _weighed(self, model: str, deals: Flags | None) -> tuple[Journeys, Weights]:
        own, inherited = self.own, self.inherited
        if deals is not None:
            own, inherited = own.of_deals(deals), inherited and inherited.of_deals(deals)
        if inherited is None:
            return own, self._weights(own, model)
        if self.policy.renewals == "inherit" or model == PARTICIPATION:
            return inherited, self._weights(inherited, model)
        return halved((own, self._weights(own, model)), (inherited, self._weights(inherited, model)))

    def _weights(self, journeys: Journeys, model: str) -> Weights:
        roles = self._roles_of(journeys)
        if model in self.shares:
            weights = spread_shares(journeys, self.shares[model], model, self.policy.path_by)
        else:
            weights = weigh(
                journeys, model, self.policy, roles, pc.take(self.touches["type"], pa.array(journeys.touch))
            )
        return with_roles(journeys, weights, roles, self.policy.role_weights)

    def _roles_of(self, journeys: Journeys) -> Any:
        """(rows,): the role that the touch's person has on the deal; null without one."""
        if not self.roles.num_rows:
            return pa.nulls(len(journeys.deal), pa.string())
        deal = _rows_of(self.roles, self.deals)
        (person, touching), _ = codes(self.roles["person_id"], self.touches["person_id"])
        known = _pair(np.asarray(pc.fill_null(deal, -1).to_numpy()).astype(np.int64), person)
        wanted = _pair(journeys.deal, touching[journeys.touch])
        order = np.argsort(known)
        place = np.minimum(np.searchsorted(known[order], wanted), len(known) - 1)
        found = (known[order][place] == wanted) & (wanted >= 0)
        return pc.take(self.roles["role"], pa.array(order[place], mask=~found))

    def deal_touches(self, deals: Flags | None = None) -> pa.Table:
        """One row per deal and touch of its journey, of all deals or of some ((deals,) flags)."""
        journeys = self.own if self.inherited is None or self.policy.renewals == "split" else self.inherited
        journeys = journeys if deals is None else journeys.of_deals(deals)
        rows = pa.table(
            {
                "deal_id": pc.take(self.deals["deal_id"], pa.array(journeys.deal)),
                "touch_id": pc.take(self.touches["touch_id"], pa.array(journeys.touch)),
                "position": np.arange(len(journeys.deal)) - journeys.offsets[:-1][journeys.deal] + 1,
                "anchors": anchor_names(journeys),
            }
        )
        if self.is_first.all():
            return rows
        # The journeys of a deal's parts are one journey of the deal.
        number = self.deal_number[journeys.deal]
        order = self._of_whole_deals(journeys)
        number = number[order]
        position = np.arange(len(order)) - np.searchsorted(number, number) + 1
        return rows.take(pa.array(order)).set_column(2, "position", pa.array(position))

    def _of_whole_deals(self, journeys: Journeys) -> Ints:
        """The rows in which the parts of each split deal follow one order, a touch of several parts once."""
        is_split = np.bincount(self.deal_number) > 1
        number = self.deal_number[journeys.deal]
        here = np.flatnonzero(is_split[number])
        touch = journeys.touch[here]
        ids = ranks(pc.take(self.touches["touch_id"], pa.array(touch)))
        place = np.lexsort((ids, journeys.occurred_at[here] // SECOND_US, number[here]))
        order, keep = np.arange(len(number)), np.ones(len(number), dtype=np.bool_)
        order[here] = here[place]
        keep[here[1:]] = (touch[place][1:] != touch[place][:-1]) | (np.diff(number[here]) != 0)
        return order[keep]


def _rows_of(table: pa.Table, deals: pa.Table) -> pa.Array:
    """(rows,): where each row's `deal_id` and `part` stand among the deals; null for none."""
    first = pc.index_in(table["deal_id"], value_set=deals["deal_id"].combine_chunks())
    return pc.subtract(pc.add(first, table["part"]), 1)


def _touches(tables: Tables, timezone: str, policy: AttributionPolicy) -> pa.Table:
    """The touches that may earn; only of parties with a deal where nobody else's are asked for."""
    told = {
        "timezone": timezone,
        "all_parties": policy.people != "all_people" or bool(set(policy.models) & set(PATH_MODELS)),
        "by_type": any(model.types for model in policy.custom.values()),
    }
    # Journeys are ordered by their own keys; only joining two of them goes by the place of the touch.
    return tables.query(_TOUCHES + ("" if policy.renewals == "own" else " order by touch_id"), **told)


def _pair(deal: Ints, person: Ints) -> Ints:
    """One number for (deal, person); -1 where either is unknown."""
    return np.where((deal < 0) | (person < 0), -1, (deal << 32) + person)


def deal_amounts(tables: Tables, deals: pa.Table) -> list[Amounts]:
    """What each part of a deal comes to, one entry per basis."""
    found = tables.query(_AMOUNTS)
    row = np.asarray(_rows_of(found, deals).to_numpy())
    basis = np.asarray(found["basis"].to_pylist(), dtype=object)
    cents = np.asarray(pc.fill_null(found["cents"], 0).to_numpy())
    known = np.asarray(pc.is_valid(found["cents"]).to_numpy())
    amounts = []
    for name in dict.fromkeys(basis) or ("pipeline",):
        of_basis = np.flatnonzero(basis == name)
        amounts.append(Amounts(str(name), row[of_basis], cents[of_basis], known[of_basis]))
    return amounts


def _check_balance(work: Work, whole: list[str]) -> None:
    """Every deal's credits come to its amount, on every basis and by every model that distributes.

    Deal by deal for what was written now (`whole`: all deals of these models), in sum for all; the sums are kept.
    """
    if broken := work.execute(_UNBALANCED, {"whole": whole}).fetchone():
        deal, basis, model, amount, credit, weight = broken
        figures = {"amount": amount, "credit": credit, "weight": weight}
        raise AbmError(said("attribute_unbalanced_deal", deal=deal, basis=basis, model=model, **figures))
    balances = work.query(_BALANCES, whole=whole, as_of=work.run.as_of)
    work.replace("quality.credit_balances", balances)
    apart = balances.filter(pc.not_equal(balances["difference"], pa.scalar(0, balances["difference"].type)))
    for row in apart.slice(0, 1).to_pylist():
        named = {name: row[name] for name in ("basis", "model", "credited", "amount")}
        raise AbmError(said("attribute_unbalanced_sum", **named))
