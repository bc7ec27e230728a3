"""Scoring a file of leads without a workspace: the loop's own steps, in a folder that is thrown away."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from abmloop.errors import BadFile, BadUsage
from abmloop.messages import said
from tasks.loop import run_steps
from tasks.policies import POLICIES
from tasks.runs import open_run
from tasks.table_files import refuse_other_endings, write_table
from warehouse.database import connect

_STEPS = ("land", "parse", "resolve", "segment", "match", "build_core", "score")
_SETTINGS = "name: score\npush: 'off'\nquarantine_hold_share: 1\n"
_SOURCES = "settle_seconds: 0\n"

# A row of the file that is the same person as another has that person's scores.
_SCORES = """
with reason as (
    select person_id, string_agg(told, '; ' order by points desc, rule_id) as reasons
    from (
        select person_id, rule_id, sum(points) as points,
               format('{} {:+.1f} ({})', rule_id, sum(points)::double, max(event_on)) as told
        from scored.line_points
        where points <> 0
        group by person_id, rule_id
        qualify row_number() over (partition by person_id order by abs(sum(points)) desc, rule_id) <= 5
    )
    group by person_id
),
fit as (
    select account_id,
           string_agg(format('{} {:+g}', criterion_id, given), '; ' order by abs(given) desc, position) as fit_reasons
    from (
        select account_id, unnest(criteria) as position, unnest(criterion_points) as given from resolved.account_fit
    )
    join rules.icp using (position)
    group by account_id
)
select raw_rows.line, coalesce(raw_rows.contact_id, raw_rows.lead_id, raw_rows.email, raw_rows.mobile,
                               raw_rows.phone, raw_rows.wechat_unionid, raw_rows.wechat_openid) as lead,
       raw_rows.company_name, grades.fit_points, grades.fit_grade,
       grades.engagement_points::double as engagement_points, grades.engagement_band, grades.grid,
       grades.mql_from_points,
       coalesce(grades.blocked_by is null and grades.engagement_points >= grades.mql_from_points, false) as is_mql,
       grades.blocked_by, leads.exclusion_kind, leads.exclusion_reason, fit.fit_reasons, reason.reasons
from raw.contacts as raw_rows
join (select distinct source, row_hash, row_id from staging.contact_versions) as versions using (source, row_hash)
join matched.person_rows on person_rows.entity = 'contacts' and person_rows.row_id = versions.row_id
join scored.leads on leads.person_id = person_rows.person_id
join scored.grades on grades.lead_id = leads.lead_id
left join reason on reason.person_id = leads.person_id
left join fit on fit.account_id = leads.account_id
order by raw_rows.line
"""
_REFUSED = "select count(*) from quality.quarantine where entity in ('contacts', 'touches')"


def score_files(
    leads: Path, out: Path, config: Path | None = None, touches: Path | None = None, as_of: date | None = None
) -> dict[str, Any]:
    """Score every row of a file of leads by the rules of `config` (default: the shipped ones); gives a summary.

    `leads`: people with their company and what is known of it (industry, employees, province and so on, from which the
    fit comes); `touches`: what they did, by the same contact_id, lead_id, e-mail or number; without it engagement is 0.
    CSV, XLSX, Parquet or JSON with headers in Chinese or English. Writes, by the name of `out` as CSV, XLSX or Parquet:
    line, lead (its id, e-mail or number), company, fit and engagement with grade, band and grid, is_mql, what forbids
    it, and the reasons. Raises BadUsage for missing files, BadPolicy for wrong rules, BadFile where no row is readable.
    """
    refuse_other_endings(out)
    for path in (leads, *((touches,) if touches else ())):
        if not path.is_file():
            raise BadUsage(said("file_none", path=path))
    if config is not None and not config.is_dir():
        raise BadUsage(said("option_no_folder", option="--config", path=config))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _fill(root, leads, touches, config)
        with open_run(root, as_of, push="off") as run:
            run_steps(run, only=_STEPS)
        with connect(root) as con:
            rows = con.sql(_SCORES).to_arrow_table()
            [(refused,)] = con.execute(_REFUSED).fetchall()
            messages = con.execute("select message from ops.files where status = 'refused' order by 1").fetchall()
    if not rows.num_rows:
        raise BadFile(said("score_no_lead_read", file=leads, why=" ".join(str(text) for (text,) in messages)))
    write_table(rows, out)
    return _summary(rows, refused)


def _fill(root: Path, leads: Path, touches: Path | None, config: Path | None) -> None:
    """A workspace whose people and companies are both those of the file."""
    (root / "abmloop.yaml").write_text(_SETTINGS, encoding="utf-8")
    (root / "config").mkdir()
    for name in POLICIES:
        if config is not None and (config / name).is_file():
            shutil.copyfile(config / name, root / "config" / name)
    # How a workspace's own folders are read says nothing about this file.
    (root / "config" / "sources.yaml").write_text(_SOURCES, encoding="utf-8")
    for entity, path in (("companies", leads), ("contacts", leads), ("touches", touches)):
        if path is not None:
            (root / "inbox" / entity).mkdir(parents=True)
            shutil.copyfile(path, root / "inbox" / entity / path.name)


def _summary(rows: pa.Table, refused: int) -> dict[str, Any]:
    """Leads, those of each cell of the grid, MQLs, and who is excluded or blocked."""
    summary: dict[str, Any] = {"leads": rows.num_rows, "mqls": rows["is_mql"].to_pylist().count(True)}
    for column, prefix in (("fit_grade", "fit"), ("engagement_band", "band"), ("blocked_by", "blocked")):
        values = [value for value in rows[column].to_pylist() if value is not None]
        summary |= {f"{prefix}_{value}": values.count(value) for value in sorted(set(values))}
    kinds = [value for value in rows["exclusion_kind"].to_pylist() if value is not None]
    summary |= {f"excluded_{kind}": kinds.count(kind) for kind in sorted(set(kinds))}
    return {**summary, "refused_rows": int(refused)}
