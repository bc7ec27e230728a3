"""Raw values made typed: every distinct value is parsed once, then SQL joins it back to its rows.

The parsers are pure (scoring/values, scoring/names); what became of a value they could not take is told by the table of
actions (scoring/values/actions.yaml).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from abmloop.messages import say
from abmloop.run import Run, StepCounts
from scoring.names import parse_names
from scoring.policies.reach import ReachPolicy
from scoring.values import (
    actions,
    amounts,
    codes,
    domains,
    emails,
    industries,
    phones,
    regions,
    text,
    times,
    titles,
    words,
)
from scoring.values.sensitive import LOOKS, is_sensitive
from tasks.common_values import empty_common, find_common
from tasks.land.entities import entities
from tasks.policies import load_policy
from tasks.quality.heal import heal_quarantine
from tasks.raw_news import NEW_ROWS, News, columns_of, take_news, touch_records
from tasks.reach import EVENT_MODELS, load_reach
from warehouse.models import all_models
from warehouse.steps import Work, step
from warehouse.tables import quote

Parse = Callable[[pa.Array], pa.Table]

# A plain key needs no look; these words and shapes do. The pattern mirrors `parse_ids`.
_ODD_KEY = (
    "not regexp_full_match(value, '[A-Za-z0-9][A-Za-z0-9_.:@/+=-]*')"
    " or regexp_matches(value, '^0+$|^\\d+\\.0+$|^\\d(\\.\\d+)?[eE]')"
    " or lower(value) in ('na', 'n/a', 'null', 'none', 'nil', 'nan', 'undefined', 'unknown', 'tbd', 'ditto')"
)
_CHUNK_VALUES = 300_000  # bounds the memory of the parsers' intermediate columns


@dataclass(frozen=True)
class Dictionary:
    """One dictionary table: which kinds of columns feed it, how, and the version of that reading.

    `version` is raised with every change of what the parser gives; the values are then read anew.
    """

    table: str
    parse: Parse
    kinds: tuple[str, ...]
    version: str
    where: str = "true"


def _named(values: pa.Array) -> pa.Table:
    """Company names; a placeholder or a secret is no name to show."""
    table = parse_names(values).combine_chunks()
    name, key, rule = (table[column].combine_chunks() for column in ("name", "name_key", "rule"))
    rule = pc.if_else(is_sensitive(name), "name-sensitive", rule)
    hidden = pc.is_in(rule, pa.array(["name-placeholder", "name-sensitive"]))
    changed = {
        "name": pc.if_else(hidden, None, name),
        "name_key": pc.if_else(hidden, None, key),
        "rule": rule,
    }
    return pa.table({column: changed.get(column, table[column]) for column in table.column_names})


def _dictionaries(run: Run) -> tuple[Dictionary, ...]:
    """Those keyed by the value alone, in the order they are filled."""
    return (
        Dictionary("parsed_texts", text.parse_texts, ("text", "place"), "2"),
        Dictionary("parsed_extras", text.parse_extras, (), "1", f"regexp_matches(value, '{LOOKS}')"),
        Dictionary("parsed_ids", text.parse_ids, ("id",), "1", _ODD_KEY),
        Dictionary("parsed_name_lists", text.parse_name_lists, ("name_list",), "1"),
        Dictionary("parsed_names", _named, ("name",), "6"),
        Dictionary("parsed_codes", codes.parse_codes, ("code",), "2"),
        Dictionary("parsed_emails", emails.parse_emails, ("email",), "2"),
        Dictionary("parsed_domains", domains.parse_domains, ("domain",), "2"),
        Dictionary(
            "parsed_times", partial(times.parse_times, timezone=run.timezone), ("date", "time"), f"1 {run.timezone}"
        ),
        Dictionary("parsed_amounts", amounts.parse_amounts, ("amount",), "1"),
        Dictionary("parsed_currencies", amounts.parse_currencies, ("currency",), "1"),
        Dictionary("parsed_numbers", amounts.parse_numbers, ("number",), "1"),
        Dictionary("parsed_shares", amounts.parse_shares, ("share",), "1"),
        Dictionary("parsed_booleans", amounts.parse_booleans, ("boolean",), "1"),
        Dictionary("parsed_employees", amounts.parse_employees, ("employees",), "1"),
        Dictionary("parsed_revenues", amounts.parse_revenues, ("revenue",), "1"),
        Dictionary("parsed_statuses", words.parse_statuses, ("status",), "1"),
        Dictionary("parsed_titles", titles.parse_titles, ("title",), "2"),
        Dictionary("parsed_industries", industries.parse_industries, ("industry",), "2"),
        Dictionary("parsed_places", regions.parse_places, ("place",), "1"),
        Dictionary("parsed_addresses", regions.parse_addresses, ("address",), "2"),
        Dictionary("parsed_countries", regions.parse_countries, ("country",), "3"),
    )


def parse(run: Run) -> StepCounts:
    """Bring raw rows to staging: typed values, the latest version of each record, refused rows in quarantine."""
    with step(run, "parse") as work:
        _load_rules(work)
        work.replace("rules.industries", industries.section_names(run.language))
        reach = load_policy(run, ReachPolicy)
        load_reach(work, reach)
        news = find_common(work, take_news(work, {"events": reach.model_dump_json()}))
        known_names = work.execute(_LAST_NAME).fetchall()[0][0]
        for dictionary in _dictionaries(run):
            _fill(work, dictionary, _values_of(dictionary, news.relations))
        work.execute(_CLEAN_NAMES, {"known": known_names})
        _fill_phones(work, news.relations)
        _fill_words(work, news.relations)
        empty_common(work)
        _build(work, news)
        _tell_quality(work)
        heal_quarantine(work, is_final=True)
    return work.counts


def _build(work: Work, news: News) -> None:
    """The zone's models: the directory's in part where little of it is new, all others anew."""
    if not news.in_part:
        work.build_zone("staging")
        work.note_changes("staging.companies")
        return
    work.build("staging.parsed_faults", "staging.split_tellings")  # what today's rows are refused by
    if {"events", "contacts"} & news.relations.keys():
        work.build("staging.event_times")
    is_new = f"entity <> 'companies' or row_hash in (select row_hash from {NEW_ROWS})"
    work.update("staging.value_faults", is_new, {"raw.companies": NEW_ROWS})
    work.build("staging.rejected_rows")
    touch_records(work)
    in_part = {"parsed_faults", "split_tellings", "event_times", "value_faults", "rejected_rows"}
    in_part |= {"company_versions", "companies"}
    # Behaviour events are many; without new ones, and without new contacts who may be their visitors, all stays.
    if not {"events", "contacts"} & news.relations.keys():
        in_part |= EVENT_MODELS
    work.build(*(m.name for m in all_models().values() if m.zone == "staging" and m.table not in in_part))


def _load_rules(work: Work) -> None:
    """The tables that the models of staging join: actions, columns, places, dialling codes."""
    kinds = sorted({kind for _, _, kind in columns_of()} | {"row"})
    value_actions = [
        {"rule": rule.name, "kind": kind, "action": rule.by_kind.get(kind, rule.action)}
        for rule in actions.rules().values()
        for kind in kinds
    ]
    rejecting = actions.rejecting_columns()
    keys = {(entity.name, column) for entity in entities().values() for group in entity.one_of for column in group}
    value_columns = [
        {
            "entity": entity,
            "column_name": column,
            "kind": kind,
            "is_rejecting": (entity, column) in rejecting,
            "is_key": (entity, column) in keys,
        }
        for entity, column, kind in columns_of()
    ]
    work.replace("rules.value_actions", pa.Table.from_pylist(value_actions))
    work.replace("rules.value_columns", pa.Table.from_pylist(value_columns))
    work.replace("rules.area_codes", regions.area_codes())
    work.replace("rules.regions", regions.region_table())


def _union(columns: Iterable[tuple[str, str, str]], rows: Mapping[str, str]) -> str:
    """SQL of the values of those columns in `rows` (entity → relation); entities without are left out."""
    selects = [
        f"select {quote(column)} as value from {rows[entity]}" for entity, column, _ in columns if entity in rows
    ]
    return " union all ".join(selects or ["select null::varchar as value where false"])


def _values_of(dictionary: Dictionary, rows: Mapping[str, str]) -> str:
    """SQL that gives the values a dictionary must know, as the column `value`, with repetitions."""
    if dictionary.table == "parsed_places":
        places = (
            "select concat_ws('|', coalesce(province, ''), coalesce(city, ''), coalesce({0}, '')) as value from {1}"
            " where coalesce(province, city, {0}) is not null"
        )
        districts = {"companies": "district", "contacts": "null"}
        selects = [places.format(districts[entity], rows[entity]) for entity in districts if entity in rows]
        return " union all ".join(selects or [_union((), rows)])
    if dictionary.table == "parsed_extras":
        selects = [f"select extra as value from {relation}" for relation in rows.values()]
        return " union all ".join(selects or [_union((), rows)])
    values = _union(columns_of(*dictionary.kinds), rows)
    if dictionary.table == "parsed_names":
        return values + " union all select unnest(names) from staging.parsed_name_lists"
    return values


def _fill(work: Work, dictionary: Dictionary, values: str) -> None:
    """Parse what the dictionary does not know yet; all of it where its version is another."""
    table = f"staging.{dictionary.table}"
    _renew(work, table, dictionary.version)
    unseen = work.query(
        f"select distinct value from ({values}) as given anti join {table} using (value)"
        f" where value is not null and ({dictionary.where})"
    )["value"]
    work.count(parsed_values=len(unseen))
    for start in range(0, len(unseen), _CHUNK_VALUES):
        chunk = unseen.slice(start, _CHUNK_VALUES).combine_chunks()
        work.append(table, dictionary.parse(pc.cast(chunk, pa.string())))


def _renew(work: Work, table: str, version: str) -> None:
    """Empty a dictionary that another version of its parser has filled."""
    known = work.query("select version from staging.parser_versions where dictionary = $table", table=table)
    if known["version"].to_pylist() != [version]:
        work.execute(f"delete from {table}")
        work.execute("delete from staging.parser_versions where dictionary = ?", [table])
        work.execute("insert into staging.parser_versions values (?, ?)", [table, version])


def _fill_phones(work: Work, rows: Mapping[str, str]) -> None:
    """Phones are read in the country of their row: China where the row names none."""
    _renew(work, "staging.parsed_phones", "3")
    with_country = {entity for entity, _, _ in columns_of("country")}
    here = "case when length(parsed_countries.country) = 2 then parsed_countries.country else 'CN' end"
    selects = [
        f"select {quote(column)} as value, {here} as country from {rows[entity]} as received"
        f" left join staging.parsed_countries on parsed_countries.value = received.country"
        if entity in with_country
        else f"select {quote(column)} as value, 'CN' as country from {rows[entity]} as received"
        for entity, column, _ in columns_of("phone")
        if entity in rows
    ]
    given = " union all ".join(selects or ["select null::varchar as value, null::varchar as country where false"])
    unseen = work.query(
        f"select distinct value, country from ({given}) as given anti join staging.parsed_phones using (value, country)"
        " where value is not null order by country"
    )
    work.count(parsed_values=unseen.num_rows)
    for country in unseen["country"].unique().to_pylist():
        values = unseen.filter(pc.equal(unseen["country"], country))["value"]
        work.append("staging.parsed_phones", phones.parse_phones(values, country))


def _fill_words(work: Work, rows: Mapping[str, str]) -> None:
    """Words are read in the vocabulary of their column."""
    _renew(work, "staging.parsed_words", "4")
    for vocabulary in sorted({kind for _, _, kind in columns_of(*words.vocabularies())}):
        unseen = work.query(
            f"select distinct value from ({_union(columns_of(vocabulary), rows)}) where value is not null"
            " and value not in (select value from staging.parsed_words where vocabulary = $vocabulary)",
            vocabulary=vocabulary,
        )["value"]
        work.count(parsed_values=len(unseen))
        table = words.parse_words(unseen, vocabulary)
        work.append(
            "staging.parsed_words", table.add_column(0, "vocabulary", pa.repeat(pa.scalar(vocabulary), len(unseen)))
        )


def _tell_quality(work: Work) -> None:
    """Rejected rows into quality.quarantine, mended, emptied and flagged values into quality.repairs: just today's."""
    language = work.run.language
    told = [
        {"rule": name, "message": say(f"value_{name}", language), "hint": say("value_hint_reject_row", language)}
        for name in actions.rules()
    ]
    work.con.register("told_rules", pa.Table.from_pylist(told))
    for table in ("quality.quarantine", "quality.repairs"):
        work.execute(f"delete from {table} where rule in (select rule from rules.value_actions)")
    faulty = set(work.query(_FAULTY)["entity"].to_pylist())
    for entity in (entity for entity in entities().values() if entity.name in faulty):
        columns = ", ".join(f"{quote(name)} := {quote(name)}" for name in entity.column_names)
        work.execute(_QUARANTINE.format(entity=entity.name, columns=columns, secret_rules=_SECRET_RULES))
        work.execute(_REPAIRS.format(entity=entity.name, secret_rules=_SECRET_RULES))
    if work.query("select 1 from staging.parsed_extras where rule is not null limit 1").num_rows:
        for name in entities():
            work.execute(_SECRETS.format(entity=name))
    work.con.unregister("told_rules")
    refused, mended = work.execute(
        "select (select count(distinct (entity, row_hash)) from staging.rejected_rows),"
        " (select count(*) from staging.value_faults)"
    ).fetchall()[0]
    work.count(quarantined=refused, repairs=mended)


_FAULTY = "select entity from staging.rejected_rows union select entity from staging.value_faults"

# What these rules find is not written down a second time.
_SECRET_RULES = "'text-sensitive', 'name-sensitive', 'code-person-id'"

# Steps to the right look names up by their clean writing; it reads as the one it came from.
_LAST_NAME = "select coalesce(max(rowid), -1) from staging.parsed_names"
_CLEAN_NAMES = """
insert into staging.parsed_names by name
with written as (
    select * from staging.parsed_names where rowid > $known and name <> value
)
select * replace (name as value)
from written
where name not in (select value from staging.parsed_names where value in (select name from written))
qualify row_number() over (partition by name order by value) = 1
"""

_QUARANTINE = """
insert into quality.quarantine by name
select received.run_id, received.landed_on, '{entity}' as entity, received.source, received.file_sha,
       received.file_name, received.sheet, received.line, received.record, rejected.column_name,
       case when rejected.rule in ({secret_rules}) then '***' else rejected.value end as value, rejected.rule,
       concat_ws(': ', rejected.column_name, told_rules.message) as message, told_rules.hint,
       (select to_json(struct_pack({columns}))) as raw_row, received.row_hash
from raw.{entity} as received
join staging.rejected_rows as rejected on rejected.entity = '{entity}' and rejected.row_hash = received.row_hash
join told_rules using (rule)
"""

_REPAIRS = """
insert into quality.repairs by name
select received.landed_on, '{entity}' as entity, received.source, received.file_sha, received.file_name,
       received.sheet, received.line, fault.column_name,
       case when fault.rule in ({secret_rules}) then '***' else fault.value end as value,
       case fault.action when 'repair' then fault.repaired when 'null_value' then fault.repaired || ' ?' end
           as repaired,
       fault.action, fault.rule, received.row_hash
from raw.{entity} as received
join staging.value_faults as fault on fault.entity = '{entity}' and fault.row_hash = received.row_hash
anti join staging.rejected_rows as rejected on rejected.entity = '{entity}' and rejected.row_hash = received.row_hash
"""

# Columns that no entity knows never leave; what they hold of secrets is told all the same.
_SECRETS = """
insert into quality.repairs by name
select received.landed_on, '{entity}' as entity, received.source, received.file_sha, received.file_name,
       received.sheet, received.line, 'extra.' || unnest(found.columns) as column_name, '***' as value,
       null as repaired, 'flag' as action, found.rule, received.row_hash
from raw.{entity} as received
join staging.parsed_extras as found on found.value = received.extra
where found.rule is not null
"""
