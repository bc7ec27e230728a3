"""A number, address or code that stands at an improbable share of a source's records: nobody's own (V07, V09)."""

from dataclasses import dataclass

from scoring.values import actions
from tasks.land.entities import entities
from tasks.raw_news import News, with_holders
from warehouse.steps import Work
from warehouse.tables import quote

# What tells one record from another however often its list is landed anew.
_SUBJECTS = {
    "companies": "coalesce(source_id, name, name_en, uscc, row_hash)",
    "contacts": "coalesce(contact_id, lead_id, name, row_hash)",
}


@dataclass(frozen=True)
class Emptied:
    """How the dictionary of one kind of column says that a value is too common to be anybody's."""

    table: str
    rule: str
    columns: str


EMPTIED = {
    "phone": Emptied(
        "parsed_phones",
        "phone-too-common",
        "e164s = [], mobile = null, mobile_country = null, phone = null, national = null",
    ),
    "email": Emptied(
        "parsed_emails",
        "email-too-common",
        "email = null, emails = [], domain = null, domain_kind = null, kind = 'invalid'",
    ),
    "code": Emptied("parsed_codes", "code-too-common", "uscc = null, uscc_state = 'suspect', organisation_code = null"),
    "domain": Emptied("parsed_domains", "domain-too-common", "website = null, domain = null, kind = null"),
    # Thousands of firms are registered at one desk; the address stays, and is no evidence to anybody.
    "address": Emptied("parsed_addresses", "address-too-common", "address = address"),
}


def find_common(work: Work, news: News) -> News:
    """Note in `common_values` (kind, value) what is too common, and let go what no longer is; gives the rows to read.

    A value that was let go, and one that is too common only now, changes all rows that hold it: they are read again.
    """
    work.execute("create or replace temp table common_values (kind varchar, value varchar)")
    policy = actions.too_common()
    for (entity, column), least in policy.least_records.items():
        kind = _kind(entity, column)
        asked = _ASKED.format(
            column=quote(column), rows=news.relations.get(entity, f"raw.{entity} where false"), **vars(EMPTIED[kind])
        )
        work.execute(
            _FIND.format(
                entity=entity,
                column=quote(column),
                subject=_SUBJECTS[entity],
                asked="" if news.relations.get(entity) == f"raw.{entity}" else asked,
            ),
            [kind, least, policy.share],
        )
    flipped = " union all ".join(_FLIPPED.format(kind=kind, **vars(emptied)) for kind, emptied in EMPTIED.items())
    work.execute(f"create or replace temp table flipped_values as {flipped}")
    for emptied in EMPTIED.values():
        work.execute(
            f"delete from staging.{emptied.table} where rule = ? and value in (select value from flipped_values)",
            [emptied.rule],
        )
    return with_holders(work, news, "flipped_values")


def _kind(entity: str, column: str) -> str:
    [column_type] = [known.type for known in entities()[entity].columns if known.name == column]
    return actions.kind_of(entity, column, column_type)


def empty_common(work: Work) -> None:
    """What stands in `common_values` says nothing any more, whatever its parser made of it."""
    for kind, emptied in EMPTIED.items():
        work.execute(
            f"update staging.{emptied.table} set {emptied.columns}, rule = ? where value in"
            " (select value from common_values where kind = ?)"
            " and coalesce(rule in (select rule from rules.value_actions where action <> 'null_value'), true)",
            [emptied.rule, kind],
        )


# Only a value of a new row, or one that was too common, can have become another.
_ASKED = """
          and {column} in (
              select {column} from {rows} union all select value from staging.{table} where rule = '{rule}')"""

_FLIPPED = """
select distinct '{kind}' as kind, known.value
from staging.{table} as known
left join common_values as common on common.kind = '{kind}' and common.value = known.value
where case when common.value is null then known.rule = '{rule}'
           else known.rule is null or known.rule <> '{rule}' and known.rule in (
               select rule from rules.value_actions where action <> 'null_value') end
"""

_FIND = """
insert into common_values
with candidate as (
    select source, {column} as value from raw.{entity} where {column} is not null{asked}
    group by all
    having count(*) >= $2
),
held as (
    select received.source, received.{column} as value, count(distinct {subject}) as records
    from raw.{entity} as received
    join candidate on candidate.source = received.source and candidate.value = received.{column}
    group by all
    having records >= $2
),
listed as (
    select source, count(distinct {subject}) as records from raw.{entity}
    where source in (select source from held)
    group by source
)
select distinct $1, held.value from held join listed using (source) where held.records > $3 * listed.records
"""
