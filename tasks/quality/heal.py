"""Quarantine that heals itself: a refused row is closed once a later file brings it corrected or takes its place."""

from dataclasses import dataclass

from tasks.land.corrections import ROW_HEADER
from tasks.land.entities import Entity, entities
from warehouse.steps import Work
from warehouse.tables import declared_tables, quote

# Names a refused row of quality.quarantine, whatever number of reasons it has.
ROW_ID = (
    "'Q' || left(md5(concat_ws('|', {0}entity, {0}file_sha, coalesce({0}sheet, ''), coalesce({0}record, {0}line))), 16)"
)

_IS_SAME = (
    "(healed.entity, healed.file_sha, healed.rule) = (quarantine.entity, quarantine.file_sha, quarantine.rule)"
    + "".join(
        f" and healed.{name} is not distinct from quarantine.{name}"
        for name in ("sheet", "line", "record", "column_name")
    )
)

# A later file of the same source takes an earlier one's place: the same file corrected, or the whole list again.
_BY_FILE = """
insert into closing
select distinct on (refused.file_sha, refused.entity) refused.file_sha, refused.entity, null, 'file', later.file_sha
from (select distinct file_sha, entity from quality.quarantine) as open
join placed as refused using (file_sha, entity)
join placed as later
    on later.entity = refused.entity and later.source = refused.source
    and (later.landed_on, later.run_id) > (refused.landed_on, refused.run_id)
    and (later.file_name = refused.file_name
         or (later.is_whole and later.series = refused.series and later.snapshot_id <> refused.snapshot_id))
where later.is_new
order by later.landed_on, later.run_id, later.file_sha
"""
_PLACED = """
create or replace temp table placed as
select files.file_sha, files.entity, files.file_name, files.source, files.landed_on, files.run_id,
       snapshot.snapshot_id, snapshot.series,
       coalesce(snapshot.mode <> 'delta' and snapshot.state <> 'held', false) as is_whole,
       seen.file_sha is null as is_new
from ops.files as files
left join (select *, unnest(file_shas) as file_sha from quality.snapshots) as snapshot
    on snapshot.file_sha = files.file_sha and snapshot.entity = files.entity
left join quality.healers as seen on seen.file_sha = files.file_sha and seen.entity = files.entity
where files.status = 'loaded'
"""
# A row that came back by its number: closed, whether it is good now or refused anew under its new place.
_BY_NUMBER = """
insert into closing
select distinct on (number) null, '{entity}', number, case when is_rejected then 'again' else 'row' end, file_sha
from (
    select received.extra ->> '{header}' as number, received.file_sha, received.landed_on, received.run_id,
           received.row_hash in (select row_hash from rejected where entity = '{entity}') as is_rejected
    from raw.{entity} as received
    join placed on placed.file_sha = received.file_sha and placed.entity = '{entity}' and placed.is_new
    where received.extra like '%"{header}"%'
    union all
    select raw_row ->> '{header}', file_sha, landed_on, run_id, true
    from quality.quarantine
    join placed using (file_sha, entity, landed_on, run_id)
    where entity = '{entity}' and placed.is_new and raw_row like '%"{header}"%'
)
where number is not null
order by landed_on, run_id, is_rejected, file_sha
"""
# A record that a later file of its source brings under the same key, and that is accepted there. Files that were
# dropped together do not correct one another: they are two lists that know the same record.
_BY_KEY = """
insert into closing
with cell as (
    select {row_id} as number, open.file_sha, header.column_name,
           lower(trim(json_extract_string(open.raw_row, '$."' || replace(
               case when value_rule.rule is null then header.header else header.column_name end, '"', '\\"'
           ) || '"'))) as value
    from quality.quarantine as open
    join placed on placed.file_sha = open.file_sha and placed.entity = open.entity
    join quality.snapshot_columns as header on header.snapshot_id = placed.snapshot_id and not header.is_extra
    left join (select distinct rule from rules.value_actions) as value_rule on value_rule.rule = open.rule
    where open.entity = '{entity}' and list_contains($columns, header.column_name)
),
refused as (
    select number, file_sha, {refused_cells} from cell group by number, file_sha
),
refused_key as (
    select number, placed.source, placed.landed_on, placed.run_id, key
    from (select number, file_sha, unnest({keys}) as key from refused) as refused
    join placed on placed.file_sha = refused.file_sha and placed.entity = '{entity}'
    where key is not null
),
later as (
    select received.file_sha, received.source, received.landed_on, received.run_id, unnest({keys}) as key
    from (
        select {received_cells}, file_sha, source, landed_on, run_id, row_hash
        from raw.{entity}
        where file_sha in (select file_sha from placed where is_new and entity = '{entity}'
                           and source in (select source from refused_key))
    ) as received
    anti join (select row_hash from rejected where entity = '{entity}') as rejected using (row_hash)
)
select distinct on (number) null, '{entity}', number, 'key', later.file_sha
from refused_key
join later
    on later.source = refused_key.source and later.key = refused_key.key
    and (later.landed_on, later.run_id) > (refused_key.landed_on, refused_key.run_id)
order by later.landed_on, later.run_id, later.file_sha
"""
# A line that could not be split: a later row is it, corrected, where its key and another value stand in the line.
_BY_TEXT = """
insert into closing
with line as (
    select {row_id} as number, file_sha, list_distinct(list_transform(
               string_split_regex(lower(raw_row ->> 'text'), '[,;|\t]'), lambda cell: trim(trim(cell), '"'))) as cells
    from quality.quarantine as open
    where entity = '{entity}' and starts_with(raw_row, '{{"text":')
),
cell as (
    select number, file_sha, cells, unnest(cells) as key from line
)
select distinct on (number) null, '{entity}', number, 'key', later.file_sha
from cell
join placed as refused on refused.file_sha = cell.file_sha and refused.entity = '{entity}'
join raw.{entity} as received on lower(trim(received.{key})) = cell.key and received.source = refused.source
join placed as later on later.file_sha = received.file_sha and later.entity = '{entity}' and later.is_new
anti join (select row_hash from rejected where entity = '{entity}') as rejected using (row_hash)
where cell.key <> '' and (later.landed_on, later.run_id) > (refused.landed_on, refused.run_id)
    and len(list_intersect(cells, [{received_cells}])) >= 2
order by later.landed_on, later.run_id, later.file_sha
"""
_CLOSE = """
insert into quality.healed by name
select open.*, {row_id} as refused_id, later.landed_on as healed_on, later.file_name as healed_by,
       later.file_sha as healed_by_sha, closing.how
from quality.quarantine as open
join closing on closing.entity = open.entity and {matches}
join placed as later on later.file_sha = closing.by_sha and later.entity = closing.entity
"""


@dataclass(frozen=True)
class Key:
    """One way to name a record: its first column must be filled."""

    position: int
    columns: tuple[str, ...]

    def sql(self) -> str:
        """The key as text; null where its first column is."""
        parts = ", ".join(f"coalesce({quote(name)}, '')" for name in self.columns)
        return f"case when {quote(self.columns[0])} is not null then concat_ws('|', '{self.position}', {parts}) end"


def heal_quarantine(work: Work, *, is_final: bool) -> None:
    """Move what later files closed from quality.quarantine to quality.healed; only files not looked at yet are read.

    Before the new rows are parsed (`is_final` false) it is a first look: what it closed is looked at again.
    """
    work.execute(_PLACED)
    _put_back(work)
    before = _open_rows(work)
    if before and work.execute("select exists (from placed where is_new)").fetchall()[0][0]:
        _provide_rejected(work)
        _find_and_close(work)
    if is_final:
        work.execute("delete from quality.healers")
        work.execute("insert into quality.healers select distinct file_sha, entity from placed")
    work.count(healed=before - _open_rows(work))


def _open_rows(work: Work) -> int:
    return int(work.execute("select count(*) from quality.quarantine").fetchall()[0][0])


def _put_back(work: Work) -> None:
    """Open again what files closed that are still to be looked at, or are gone; drop what is closed already."""
    columns = ", ".join(map(quote, declared_tables()["quality.quarantine"].columns))
    stale = "healed_by_sha not in (select file_sha from placed where not is_new)"
    work.execute(
        f"insert into quality.quarantine by name select {columns} from quality.healed as healed where {stale}"
        f" and not exists (from quality.quarantine as quarantine where {_IS_SAME})"
    )
    work.execute(f"delete from quality.healed where {stale}")
    work.execute(
        f"delete from quality.quarantine as quarantine where exists (from quality.healed as healed where {_IS_SAME})"
    )


def _provide_rejected(work: Work) -> None:
    """Rows that the last parse refused, as `rejected`; none before the first parse."""
    there = work.execute(
        "select exists (from information_schema.tables where table_schema = 'staging' and table_name = 'rejected_rows')"
    ).fetchall()[0][0]
    rows = "select entity, row_hash from staging.rejected_rows" if there else "select '' as entity, '' as row_hash"
    work.execute(f"create or replace temp table rejected as {rows}")


def _find_and_close(work: Work) -> None:
    """Whole files first, then rows by number, then records by key: each takes what is still open."""
    work.execute(
        "create or replace temp table closing"
        " (file_sha varchar, entity varchar, number varchar, how varchar, by_sha varchar)"
    )
    _close(work, _BY_FILE, "closing.file_sha = open.file_sha")
    names = [row[0] for row in work.execute("select distinct entity from quality.quarantine").fetchall()]
    by_number = f"closing.number = {ROW_ID.format('open.')}"
    for entity in (entities()[name] for name in sorted(names) if name in entities()):
        _close(work, _BY_NUMBER.format(entity=entity.name, header=ROW_HEADER), by_number)
        if entity.keys:
            columns = sorted({name for key in entity.keys for name in key})
            _close(work, _by_key(entity, columns), by_number, {"columns": columns})
        for key in (key[0] for key in entity.keys if len(key) == 1):
            _close(work, _by_text(entity, key), by_number)


def _close(work: Work, found: str, matches: str, parameters: dict[str, list[str]] | None = None) -> None:
    """Move what `found` closes; `matches` says how its rows name those of quality.quarantine."""
    work.execute("delete from closing")
    work.execute(found, parameters)
    work.execute(_CLOSE.format(row_id=ROW_ID.format("open."), matches=matches))
    work.execute(
        f"delete from quality.quarantine as quarantine where exists (from quality.healed as healed where {_IS_SAME})"
    )


def _by_text(entity: Entity, key: str) -> str:
    return _BY_TEXT.format(
        entity=entity.name,
        key=quote(key),
        row_id=ROW_ID.format("open."),
        received_cells=", ".join(f"lower(trim(received.{quote(name)}))" for name in entity.column_names),
    )


def _by_key(entity: Entity, columns: list[str]) -> str:
    keys = [Key(place, columns) for place, columns in enumerate(entity.keys)]
    return _BY_KEY.format(
        entity=entity.name,
        row_id=ROW_ID.format("open."),
        refused_cells=", ".join(f"max(value) filter (column_name = '{name}') as {quote(name)}" for name in columns),
        received_cells=", ".join(f"lower(trim({quote(name)})) as {quote(name)}" for name in columns),
        keys="[" + ", ".join(key.sql() for key in keys) + "]",
    )
