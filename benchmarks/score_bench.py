"""How long scoring takes: touches of a seeded world → log, scores, account scores, grades; then a day of new touches.

    python -m benchmarks.score_bench [--touches 10000000] [--new-share 0.01] [--late-share 0.02] [--seed 7]

A tenth as many persons as touches, a hundredth as many accounts, 40 rules; some persons do far more than others. Leads,
accounts and their fit are given. Prints CPU seconds and peak memory of the whole and of the day, their ratio, the
subjects whose score is not the sum of their log (0), and whether the day's increment is what a rebuild gives.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import yaml

from abmloop.policy import parse_policy
from scoring.policies.scoring import ScoringPolicy
from scoring.policies.scoring_tables import rule_tables
from tasks.policies import DEFAULTS
from tasks.runs import open_run
from tasks.score.points import bring_scores_up_to_date
from tasks.score.touch_changes import noted_touch_changes
from warehouse.database import Limits, connect, held_open
from warehouse.steps import step

AS_OF = date(2026, 10, 31)
RULES = 40
MEMORY_LIMIT = "600MB"

_TYPES = """
case when kind < 30 then 'page_view' when kind < 50 then 'email_open' when kind < 62 then 'email_click'
     when kind < 70 then 'click' when kind < 76 then 'wechat_read' when kind < 80 then 'webinar'
     when kind < 83 then 'registration' when kind < 87 then 'form' when kind < 89 then 'download'
     when kind < 90 then 'unsubscribe' when kind < 92 then 'attendance' when kind < 93 then 'demo_request'
     else 'extra_' || (h % $extra)::varchar end
"""
_WORLD = {
    "matched.persons": """
        select 'P' || substr(md5('p' || i || $seed), 1, 16) as person_id, i as n,
               ['c_level', 'vp', 'director', 'manager', 'staff', 'unknown'][1 + (hash(i, $seed) % 6)::int] as seniority,
               ['it', 'production', 'finance', 'procurement'][1 + (hash(i, $seed, 1) % 4)::int] as department
        from range($persons) as r(i)
    """,
    "scored.leads": """
        select 'L' || substr(person_id, 2) as lead_id, person_id,
               'A' || substr(md5('a' || (hash(n, $seed, 2) % $accounts)), 1, 16) as account_id, 'auto' as decision,
               false as is_new_account, true as is_contactable, hash(n, $seed, 3) % 200 = 0 as is_excluded
        from matched.persons
    """,
    "resolved.account_fit": """
        select account_id, (hash(account_id) % 101)::double as fit_points,
               ['A', 'B', 'C', 'D'][1 + (hash(account_id) % 4)::int] as grade, []::smallint[] as criteria,
               []::double[] as criterion_points
        from (select distinct account_id from scored.leads)
    """,
    "scored.person_fit": """
        select '' as person_id, 0::double as fit_points, '' as grade, []::varchar[] as criteria,
               []::double[] as criterion_points
        where false
    """,
    "resolved.target_accounts": """
        select account_id, 'target' as list, null::date as valid_from, null::date as valid_to from resolved.account_fit
        where hash(account_id) % 20 = 0
    """,
}
_TOUCHES = f"""
with drawn as (
    select i, hash(i, $seed, 5) as h, hash(i, $seed, 6) % 100 as kind,
           least(floor(power((hash(i, $seed, 7) % 1000000000) / 1e9, 1.5) * $persons), $persons - 1)::bigint as n
    from range($first, $last) as r(i)
)
select 'src:' || lpad(i::varchar, 9, '0') as touch_id, person_id, account_id,
       ['web', 'email', 'ad', 'wechat', 'event'][1 + (h % 5)::int] as channel, {_TYPES} as type,
       case when h % 1000 < $late then timestamp '2024-01-01' + to_seconds((h % 80000000)::bigint)
            else $begin::timestamp + to_seconds((h % $seconds)::bigint) end as occurred_at,
       case when kind < 30 then '/p/' || (h % 5000) || case when h % 20 = 0 then '/pricing' else '' end end as content,
       case when kind between 76 and 81 then (h % 90)::double end as minutes, false as is_future
from drawn join matched.persons using (n) join scored.leads using (person_id)
"""


def policy() -> ScoringPolicy:
    """The default rules and as many more as make forty."""
    rules = yaml.safe_load((DEFAULTS / ScoringPolicy.file_name).read_text(encoding="utf-8"))
    given = rules["engagement"]["rules"]
    for number in range(RULES - len(given)):
        more = {"id": f"extra_{number}", "group": f"g{number % 5}", "touch": f"extra_{number}", "cap": 60, "per_day": 1}
        given.append({**more, "points": 3 + number, "half_life_days": 30 + number, "why": "one of forty"})
    return parse_policy(yaml.safe_dump(rules, allow_unicode=True), ScoringPolicy)


def make_world(root: Path, touches: int, seed: int) -> None:
    """The tables that scoring reads, in a new workspace."""
    (root / "abmloop.yaml").write_text(f"name: bench\nmemory_limit: {MEMORY_LIMIT}\n", encoding="utf-8")
    sizes = {"seed": seed, "persons": touches // 10, "accounts": max(touches // 100, 1)}
    with connect(root, Limits(MEMORY_LIMIT)) as con:
        for name, sql in _WORLD.items():
            used = {key: value for key, value in sizes.items() if f"${key}" in sql}
            con.execute(f"create or replace table {name} as {sql}", used or None)
        con.execute(f"create or replace table core.touches as {_TOUCHES}", _drawn(touches, seed, 0, touches, 0))


def add_day(root: Path, touches: int, new: int, late_share: float, seed: int) -> None:
    """A day's new touches beside the others; some of them are of long ago."""
    with connect(root, Limits(MEMORY_LIMIT)) as con:
        con.execute("begin")
        with noted_touch_changes(con):
            told = _drawn(touches, seed, touches, touches + new, round(late_share * 1000))
            con.execute(f"insert into core.touches {_TOUCHES}", told)
        con.execute("commit")


def _drawn(touches: int, seed: int, first: int, last: int, late: int) -> dict[str, object]:
    begin, seconds = ("2024-01-01", 89_300_000) if first == 0 else ("2026-10-31", 50_000)
    drawn = {"seed": seed, "persons": touches // 10, "first": first, "last": last, "late": late}
    return {**drawn, "begin": begin, "seconds": seconds, "extra": RULES - 19}


def score_once(root: Path) -> tuple[float, str]:
    """CPU seconds of scoring, and a hash over lines, points and grades."""
    rules = policy()
    with open_run(root, AS_OF) as run, held_open(root, Limits(MEMORY_LIMIT)):
        with step(run, "rules") as work:
            for name, rows in rule_tables(rules).items():
                work.replace(name, rows)
        started = time.process_time()
        with step(run, "score") as work:
            bring_scores_up_to_date(work, rules)
            work.execute("select sum(points), sum(people) from scored.account_points").fetchall()
        seconds = time.process_time() - started
        print(f"  {work.counts}", flush=True)
    return seconds, _printed(root)


def _printed(root: Path) -> str:
    with connect(root, Limits(MEMORY_LIMIT)) as con:
        tables = ("scored.score_lines", "scored.person_points", "scored.grades")
        print_of = "select count(*), bit_xor(h), sum(h % 1000000007) from (select hash(t) as h from {} as t)"
        return " ".join(str(con.execute(print_of.format(name)).fetchall()[0]) for name in tables)


def wrong_subjects(root: Path) -> tuple[int, int]:
    """Subjects, and those whose score as it stands is not the sum of their log; persons and accounts."""
    with connect(root, Limits(MEMORY_LIMIT)) as con:
        return con.execute(
            """
            with stands as (
                select person_id as subject, 'person' as subject_kind, sum(points)::decimal(38, 8) as points
                from scored.person_points group by all
                union all
                select account_id, 'account', points from scored.account_points
            )
            select count(*), count(*) filter (stands.points is distinct from scores.points)
            from stands
            full join (from scored.scores where model = 'engagement') as scores using (subject, subject_kind)
            """
        ).fetchall()[0]


def _measured(root: Path) -> tuple[float, float, str]:
    """`score_once` in a process of its own: CPU seconds, peak memory in MB, hash."""
    command = [sys.executable, "-m", "benchmarks.score_bench", "--measure", str(root)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip().splitlines()
    print("\n".join(told[:-1]))
    seconds, memory, printed = told[-1].split("|")
    return float(seconds), float(memory), printed


def main() -> None:
    """Make the world, score it, add a day, score again, and hold the figures against each other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--touches", type=int, default=10_000_000)
    parser.add_argument("--new-share", type=float, default=0.01)
    parser.add_argument("--late-share", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        seconds, printed = score_once(given.measure)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{seconds}|{peak}|{printed}", flush=True)
        os._exit(0)
    new = round(given.touches * given.new_share)
    print(f"{given.touches:,} touches, {given.touches // 10:,} persons, {RULES} rules, seed {given.seed}")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_world(root, given.touches, given.seed)
        whole, memory, _ = _measured(root)
        print(f"all touches            {whole:8.2f} CPU-s  {memory:6.0f} MB", flush=True)
        add_day(root, given.touches, new, given.late_share, given.seed)
        day, memory, by_day = _measured(root)
        print(f"{new:,} new touches     {day:8.2f} CPU-s  {memory:6.0f} MB  {day / whole:.1%} of the whole", flush=True)
        subjects, wrong = wrong_subjects(root)
        print(f"{subjects:,} subjects; score is not the sum of the log: {wrong}", flush=True)
        with connect(root, Limits(MEMORY_LIMIT)) as con:
            con.execute("delete from ops.score_state")
        print(f"increment = rebuild: {_measured(root)[2] == by_day}")


if __name__ == "__main__":
    main()
