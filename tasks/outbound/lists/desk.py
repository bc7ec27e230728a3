"""Everything a list is made from: those its rule asks for, those who stand on it, the gate, and what they were sent."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from abmloop.errors import BadUsage
from abmloop.messages import said
from abmloop.run import Run
from scoring.audiences.choosing import choose
from scoring.audiences.identifiers import email_faults, phone_faults
from scoring.audiences.platforms import Platform, platforms
from scoring.policies.audiences import AudiencesPolicy, ListRule
from scoring.policies.consent import ConsentPolicy
from tasks.outbound.consent.gate import Gate, naive_utc
from tasks.outbound.consent.open_gate import assert_synced, open_gate
from tasks.outbound.lists.members import Export, Member, active_members, contacts_since, read_exports
from tasks.policies import load_policy
from warehouse.steps import Work

PEOPLE, COMPANIES = "marts.outbound_people", "marts.outbound_companies"
FORMER = "marts.outbound_former_companies"
# The keys by which a list reaches people.
KEYS_OF_KIND = {"call": ("mobile",), "sms": ("mobile",), "email": ("email",), "company": ("account",)}
FAULTS_OF_KEY = {"email": email_faults, "mobile": phone_faults}


@dataclass(frozen=True)
class Desk:
    """What a list is judged from; nothing in it depends on what the gate says.

    rows: those the rule asks for (none where members are only taken off). `faults`: key kind → per row why that key is
    not used. `members`: who stands on the list. `values`: (kind, keyed hash) → the key of a member, where it is still
    known. `contacts`: person → what reached them by this channel, per cap. `moved`: former id → person or company.
    `regions` of persons, `company_keys` (codes, domains) of companies and `companies`, whether or not the rule asks for
    them; those of former ids as they were named then.
    """

    rule: ListRule
    consent: ConsentPolicy
    gate: Gate
    at: datetime
    rows: pa.Table
    faults: Mapping[str, list[str | None]]
    members: Mapping[tuple[str, str], Member]
    values: Mapping[tuple[str, str], str]
    contacts: tuple[Mapping[str, set[str]], ...] = ()
    moved: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, str | None] = field(default_factory=dict)
    company_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    companies: pa.Table | None = None
    is_withdrawal: bool = False

    @property
    def platform(self) -> Platform | None:
        """The ad platform it goes to; None for lists that people work."""
        return platforms()[self.rule.platform] if self.rule.platform else None

    @property
    def keys(self) -> tuple[str, ...]:
        """The kinds of keys it holds."""
        if self.rule.kind == "ad" and self.platform:
            return self.platform.keys
        return KEYS_OF_KIND[self.rule.kind]


def least_members(rule: ListRule) -> int:
    """Fewer are not handed over: what the rule says, and what its platform wants."""
    return max(rule.minimum, platforms()[rule.platform].minimum if rule.platform else 0)


def find_rule(run: Run, list_id: str, kinds: Collection[str], platform: str | None) -> ListRule:
    """The list of that id. Raises BadUsage where audiences.yaml has none of these kinds for that platform."""
    return _named(run, list_id, [one for one in _lists(run) if one.kind in kinds and one.platform == platform])


def find_any_rule(run: Run, list_id: str) -> ListRule:
    """The list of that id, of whatever kind. Raises BadUsage where audiences.yaml has none."""
    return _named(run, list_id, _lists(run))


def _lists(run: Run) -> list[ListRule]:
    return list(load_policy(run, AudiencesPolicy).lists)


def _named(run: Run, list_id: str, lists: list[ListRule]) -> ListRule:
    for one in lists:
        if one.id == list_id:
            return one
    known = ", ".join(one.id for one in lists) or "-"
    raise BadUsage(said("list_unknown", list=list_id, known=known))


def open_list(run: Run, work: Work, rule: ListRule, is_withdrawal: bool = False) -> Desk:
    """The desk of a list; `is_withdrawal`: only its members are looked at, nobody comes on."""
    assert_synced(run, work)
    consent, at = load_policy(run, ConsentPolicy), naive_utc(run.at)
    exports = read_exports(work.ledger)
    members = active_members(work.ledger, exports, rule.id, at)
    if rule.kind == "company":
        return _company_desk(run, work, rule, members, is_withdrawal)
    table = work.table(PEOPLE)
    mask = choose(table, rule.who, run.as_of)
    rows = table.filter(mask) if not is_withdrawal else table.slice(0, 0)
    moved = _moved(work, members)
    persons = _persons(rows, members, moved)
    gate = open_gate(run, work, consent, persons, "CN")
    return Desk(
        rule=rule,
        consent=consent,
        gate=gate,
        at=at,
        rows=rows,
        faults=key_faults(rows),
        members=members,
        values=_values(work, gate, members, persons),
        contacts=_contacts(work, consent, rule, exports, at),
        moved=moved,
        regions=dict(zip(table["person_id"].to_pylist(), table["region"].to_pylist(), strict=True)),
        is_withdrawal=is_withdrawal,
    )


def _company_desk(
    run: Run, work: Work, rule: ListRule, members: Mapping[tuple[str, str], Member], is_withdrawal: bool
) -> Desk:
    """The desk of a list of companies. A member that was merged into another company since is that company."""
    consent = load_policy(run, ConsentPolicy)
    table = work.table(COMPANIES)
    chosen = choose(table, rule.who, run.as_of)
    former = _former_companies(work, members)
    moved = dict(zip(former["account_id"].to_pylist(), former["became"].to_pylist(), strict=True))
    gate = open_gate(run, work, consent, set(), "CN")
    ids = table["account_id"].to_pylist() + list(moved) if members else []
    return Desk(
        rule=rule,
        consent=consent,
        gate=gate,
        at=naive_utc(run.at),
        rows=table.slice(0, 0) if is_withdrawal else table.filter(chosen),
        faults={},
        members=members,
        values={("account", gate.keys.hash_of(one)): one for one in ids},
        moved=moved,
        company_keys=company_keys(table, former),
        companies=pa.concat_tables([table, former.drop_columns(["became"])], promote_options="default"),
        is_withdrawal=is_withdrawal,
    )


def _former_companies(work: Work, members: Mapping[tuple[str, str], Member]) -> pa.Table:
    """Members that bear another id today, as they were named then."""
    known = sorted({member.person_id for member in members.values() if member.person_id})
    return work.query(
        f"select * from {FORMER} where list_contains($known, account_id) order by account_id", known=known
    )


def company_keys(companies: pa.Table, former: pa.Table) -> dict[str, tuple[str, ...]]:
    """Account → codes and domains by which it may ask to be left alone, those of its former ids included."""
    found: dict[str, set[str]] = defaultdict(set)
    names = ("account_id", "uscc", "domain", "domains")
    for account, code, domain, domains in zip(*(companies[name].to_pylist() for name in names), strict=True):
        found[account] |= {code, domain, *(domains or ())} - {None}
    for account, became, code, domain in zip(
        *(former[name].to_pylist() for name in ("account_id", "became", "uscc", "domain")), strict=True
    ):
        found[became] |= {code, domain} - {None}
        found[account] = found[became]
    return {account: tuple(sorted(keys)) for account, keys in found.items()}


def _persons(rows: pa.Table, members: Mapping[tuple[str, str], Member], moved: Mapping[str, str]) -> set[str]:
    known = {member.person_id for member in members.values() if member.person_id}
    return set(rows["person_id"].to_pylist()) | {moved.get(one, one) for one in known}


def _moved(work: Work, members: Mapping[tuple[str, str], Member]) -> dict[str, str]:
    """Former ids of members → whom they became."""
    if not members:
        return {}
    rows = work.query("select old_person_id, person_id from matched.person_redirects").to_pylist()
    known = {member.person_id for member in members.values()}
    return {row["old_person_id"]: row["person_id"] for row in rows if row["old_person_id"] in known}


def key_faults(rows: pa.Table) -> dict[str, list[str | None]]:
    """Per kind of key why it is not used: what cannot be read, what several persons share (V08), what bounced."""
    found: dict[str, list[str | None]] = {}
    for kind, judge in FAULTS_OF_KEY.items():
        fault = judge(rows[kind])
        shared = pc.and_(pc.is_null(fault), pc.invert(rows[f"is_own_{kind}"].combine_chunks()))
        fault = pc.if_else(shared, "shared", fault)
        if kind == "email":
            fault = pc.if_else(pc.fill_null(rows["is_dead_email"].combine_chunks(), False), "bounced", fault)
        found[kind] = fault.to_pylist()
    return found


def _values(
    work: Work, gate: Gate, members: Mapping[tuple[str, str], Member], persons: set[str]
) -> dict[tuple[str, str], str]:
    """The keys behind the keyed hashes of members, found among what is known of them today."""
    if not members:
        return {}
    work.con.register("listed_persons", pa.table({"person_id": pa.array(sorted(persons), pa.string())}))
    keys = work.query(
        "select key_kind, key_value from matched.person_keys join listed_persons using (person_id) "
        "where key_kind in ('email', 'mobile') group by all"
    )
    work.con.unregister("listed_persons")
    pairs = zip(keys["key_kind"].to_pylist(), keys["key_value"].to_pylist(), strict=True)
    return {(kind, gate.keys.hash_of(value)): value for kind, value in pairs}


def _contacts(
    work: Work, consent: ConsentPolicy, rule: ListRule, exports: Mapping[str, Export], at: datetime
) -> tuple[Mapping[str, set[str]], ...]:
    """Per cap of this channel: person → the campaigns and lists that reached them in its days."""
    found = []
    caps = [cap for cap in consent.frequency if cap.channel == rule.kind]
    became = dict(
        work.con.execute("select old_person_id, person_id from matched.person_redirects").fetchall() if caps else ()
    )
    for cap in caps:
        reached: dict[str, set[str]] = defaultdict(set)
        for person, campaigns in contacts_since(work.ledger, exports, rule.kind, at, cap.days).items():
            reached[became.get(person, person)] |= campaigns
        touched = work.query(
            "select distinct person_id, campaign_id from core.touches where channel = $channel and not is_future "
            "and campaign_id is not null and person_id is not null "
            "and occurred_at between $at - to_days($days) and $at",
            channel=rule.kind,
            at=at,
            days=cap.days,
        )
        for person_id, campaign in zip(*(column.to_pylist() for column in touched.columns), strict=True):
            reached[person_id].add(campaign)
        found.append(reached)
    return tuple(found)
