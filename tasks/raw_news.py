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


@dataclass(frozen=True)
class News:
    """`relations`: entity → SQL of its rows with values not read yet (missing where nothing is new); `in_part`: only a
    small part of the directory is touched; its rows stand in the temporary table `new_companies`, some maybe twice."""

    relations: Mapping[str, str]
    in_part: bool


def take_news(work: Work) -> News:
    """What was landed since staging was made last; everything under other rules or after a file was taken back."""
    rules = code_hash("staging", "scoring/values", "scoring/names", "tasks/parse.py") + work.run.timezone
    relations, in_part = {}, True
    for entity in entities():
        changes = work.changed(f"raw.{entity}", rules)
        if changes.is_all:
            relations[entity] = f"raw.{entity}"
            in_part &= entity != "companies"
        elif changes.rows:
            relations[entity] = f"(select * from raw.{entity} where file_sha in (select key from {changes.table}))"
    if in_part:
        in_part = _gather_companies(work, relations.get("companies", "(select * from raw.companies limit 0)"))
    return News(relations, in_part)


def _gather_companies(work: Work, relation: str) -> bool:
    """`new_companies`: what was landed, and rows whose reading hangs on the day; false where that is most of them."""
    work.execute(f"create or replace temp table {NEW_ROWS} as select * from {relation}")
    work.execute(_HANG_ON_THE_DAY, {"as_of": work.run.as_of})
    if work.pick("raw.companies", "row_hash in (select row_hash from dated_rows)", PART):
        work.execute(f"insert into {NEW_ROWS} select * from {PART}")
    new, all_rows = work.execute(
        f"select (select count(*) from {NEW_ROWS}), (select count(*) from raw.companies)"
    ).fetchall()[0]
    return bool(new <= all_rows * _MOST_IN_PART)


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
        work.execute(f"insert into {NEW_ROWS} select * from raw.companies where {holds or 'false'}")
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
    """The records that new rows belong to: `touched_companies` (key), `part_companies` (all raw rows of theirs).

    Needs the dictionaries and the refusals up to date. Then staging.company_versions and staging.companies are too.
    """
    work.part("staging.company_versions", VERSIONS, {"raw.companies": NEW_ROWS})
    work.execute(f"create or replace temp table {TOUCHED} as select distinct row_id as key from {VERSIONS}")
    work.pick(
        "raw.companies",
        f"row_hash in (select row_hash from staging.company_versions semi join {TOUCHED} on key = row_id"
        f" union all select row_hash from {NEW_ROWS})",
        PART,
    )
    work.part("staging.company_versions", VERSIONS, {"raw.companies": PART})
    # Rows that are alike in another source share their hash, not their record.
    work.execute(f"delete from {VERSIONS} where row_id not in (select key from {TOUCHED})")
    touched = f"row_id in (select key from {TOUCHED})"
    work.execute(f"delete from staging.company_versions where {touched}")
    work.execute(f"insert into staging.company_versions by name select * from {VERSIONS}")
    work.update("staging.companies", touched, {"raw.companies": PART, "staging.company_versions": VERSIONS})
    work.note_changes("staging.companies", f"select key from {TOUCHED}")


_HANG_ON_THE_DAY = """
create or replace temp table dated_rows as
select row_hash from staging.value_faults where rule = 'date-founded-in-future'
union
select row_hash from staging.companies where founded_on > $as_of
"""
