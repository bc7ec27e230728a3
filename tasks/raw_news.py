"""What is new in raw since staging was made: the rows to read, and the records of the directory that they touch."""

from collections.abc import Mapping
from dataclasses import dataclass

from scoring.values import actions
from tasks.code import code_hash
from tasks.land.entities import entities
from warehouse.steps import Work
from warehouse.tables import quote

# With more of the directory new than this share, making all of it anew is the shorter way.
_MOST_IN_PART = 0.2
NEW_ROWS, PART, VERSIONS, TOUCHED = "new_companies", "part_companies", "part_versions", "touched_companies"
_NEW_PLACES, _OLD_ROWS = "new_places", "old_rows"


@dataclass(frozen=True)
class News:
    """`relations`: entity → SQL of its rows with values not read yet (missing where nothing is new); `in_part`: only a
    small part of the directory is touched; its rows stand in the temporary table `new_companies`."""

    relations: Mapping[str, str]
    in_part: bool


def take_news(work: Work, own_rules: Mapping[str, str]) -> News:
    """What was landed since staging was made last; everything under other rules or after a file was taken back.

    `own_rules`: entity → the text of rules that change how it alone is read.
    """
    rules = (
        code_hash("staging", "scoring/values", "scoring/names", "tasks/parse.py", "abmloop/refusals.yaml")
        + work.run.timezone
    )
    relations, in_part = {}, True
    for entity in entities():
        changes = work.changed(f"raw.{entity}", rules + own_rules.get(entity, ""))
        if changes.is_all:
            relations[entity] = f"raw.{entity}"
            in_part &= entity != "companies"
        elif changes.rows:
            relations[entity] = f"(select * from raw.{entity} where {_LANDED.format(entity=entity)})"
    if in_part:
        in_part = _gather_companies(work)
    return News(relations, in_part)


def _gather_companies(work: Work) -> bool:
    """`new_companies`: what was landed, and rows whose reading hangs on the day; false where that is most of them."""
    landed = _LANDED.format(entity="companies")
    work.execute(
        f"create or replace temp table {_NEW_PLACES} as select rowid as place from raw.companies where {landed}"
    )
    work.execute(_HANG_ON_THE_DAY, {"as_of": work.run.as_of})
    _fetch_new(work, "row_hash in (select row_hash from dated_rows)")
    new, all_rows = work.execute(
        f"select (select count(*) from {_NEW_PLACES}), (select count(*) from raw.companies)"
    ).fetchall()[0]
    return bool(new <= all_rows * _MOST_IN_PART)


def _fetch_new(work: Work, more: str) -> None:
    """`new_companies` with the rows that `more` picks, each once."""
    work.execute(
        f"insert into {_NEW_PLACES} select rowid from raw.companies"
        f" where {more} and rowid not in (select place from {_NEW_PLACES})"
    )
    work.execute(
        f"create or replace temp table {NEW_ROWS} as"
        f" select received.* from {_NEW_PLACES} join raw.companies as received on received.rowid = place"
    )


def with_holders(work: Work, news: News, values: str) -> News:
    """The news with all rows that hold one of the `values` (a table of kind and value): they read otherwise now."""
    kinds = [kind for (kind,) in work.execute(f"select distinct kind from {values} order by kind").fetchall()]
    relations = dict(news.relations)
    for entity in {entity for entity, _, _ in columns_of(*kinds)} if kinds else set():
        relations[entity] = f"raw.{entity}"
    if news.in_part and kinds:
        holds = " or ".join(
            f"{quote(column)} in (select value from {values} where kind = '{kind}')"
            for entity, column, kind in columns_of(*kinds)
            if entity == "companies"
        )
        _fetch_new(work, f"({holds or 'false'})")
        relations["companies"] = NEW_ROWS
    return News(relations, news.in_part)


def columns_of(*kinds: str) -> list[tuple[str, str, str]]:
    """(entity, column, kind) of the columns read in one of these ways; of all columns without kinds."""
    found = [
        (entity.name, column.name, actions.kind_of(entity.name, column.name, column.type))
        for entity in entities().values()
        for column in entity.columns
    ]
    return [row for row in found if not kinds or row[2] in kinds]


def touch_records(work: Work) -> None:
    """The records that new rows belong to, or belonged to before they were read anew: `touched_companies` (key).

    Needs the dictionaries and the refusals up to date. Then staging.company_versions and staging.companies are too.
    """
    work.part("staging.company_versions", VERSIONS, {"raw.companies": NEW_ROWS})
    work.execute(_TOUCHED)
    work.execute(_OLD)
    work.execute(
        f"create or replace temp table {PART} as from {NEW_ROWS} union all by name"
        f" select received.* from {_OLD_ROWS} as old join raw.companies as received on received.rowid = old.place"
        " where not old.is_superseded"
    )
    work.part("staging.company_versions", VERSIONS, {"raw.companies": PART})
    [(last,)] = work.execute(f"select max(rowid) from {PART}").fetchall()
    work.execute(f"insert into {PART} by name select {_OF_VERSIONS} from {_OLD_ROWS} where is_superseded")
    work.execute(
        f"insert into {VERSIONS} by name select part.rowid as place, old.row_id, part.source, part.row_hash"
        f" from {PART} as part join (select distinct source, row_hash, row_id from {_OLD_ROWS}) as old"
        " using (source, row_hash) where part.rowid > ?",
        [-1 if last is None else last],
    )
    touched = f"row_id in (select key from {TOUCHED})"
    work.execute(f"delete from staging.company_versions where {touched}")
    work.execute(f"insert into staging.company_versions by name select * from {VERSIONS}")
    work.update(
        "staging.companies", touched, {"raw.companies": PART, "staging.company_versions": VERSIONS} | _read(work)
    )
    work.note_changes("staging.companies", f"select key from {TOUCHED}")


def _read(work: Work) -> dict[str, str]:
    """Dictionary → temporary table with what it says of the names and codes in `part_companies`: a hundredth of it."""
    names = " union all ".join(f"select {column} from {PART}" for column in ("name", "name_en", "short_name", "parent"))
    names += " union all select unnest(names) from staging.parsed_name_lists"
    codes = " union all ".join(
        f"select {column} from {PART}" for column in ("uscc", "registration_no", "organisation_code")
    )
    work.pick("staging.parsed_names", f"value in ({names})", "part_names")
    work.pick("staging.parsed_codes", f"value in ({codes})", "part_codes")
    return {"staging.parsed_names": "part_names", "staging.parsed_codes": "part_codes"}


_LANDED = "file_sha in (select key from changed_raw_{entity})"
_TOUCHED = f"""
create or replace temp table {TOUCHED} as
select row_id as key from {VERSIONS}
union
select row_id from staging.company_versions semi join {NEW_ROWS} using (source, row_hash)
"""
# A row that a newer day's row of its record has superseded just says since when the record is known and how often it
# came: these columns are all that is asked of it. Fetching whole rows from all over a wide table takes much longer.
_OF_VERSIONS = "source, landed_on, source_date, sequence, row_hash, file_sha, record"
_OLD = f"""
create or replace temp table {_OLD_ROWS} as
with newest as (
    select row_id, max(landed_on) as newest_on
    from {VERSIONS} as version
    join {NEW_ROWS} as received on received.rowid = version.place
    group by row_id
),
old as (
    select distinct row_id, source, row_hash, newest_on
    from staging.company_versions
    semi join {TOUCHED} on key = row_id
    left join newest using (row_id)
)
select received.rowid as place, row_id, {_OF_VERSIONS}, coalesce(landed_on < newest_on, false) as is_superseded
from raw.companies as received
join old using (source, row_hash)
where received.rowid not in (select place from {_NEW_PLACES})
"""
_HANG_ON_THE_DAY = """
create or replace temp table dated_rows as
select row_hash from staging.value_faults where rule = 'date-founded-in-future'
union
select row_hash from staging.companies where founded_on > $as_of
"""
