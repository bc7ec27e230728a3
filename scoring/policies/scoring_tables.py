"""The scoring rules as tables, for the SQL that joins them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from scoring.policies.scoring import FIT_GRADES, Evidence, ScoringPolicy

STAGES = ("inquiry", "mql", "sal", "sql", "opportunity", "won")
ENDS = ("lost", "recycled", "disqualified")
ACCOUNT_STAGES = ("target", "aware", "engaged", "mqa", "opportunity", "customer")

_TEXTS = pa.list_(pa.string())


def _table(columns: dict[str, pa.DataType], rows: list[tuple[Any, ...]]) -> pa.Table:
    schema = pa.schema(list(columns.items()))
    return pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows], schema=schema)


def rule_tables(policy: ScoringPolicy) -> dict[str, pa.Table]:
    """Table name → rows: everything in `scoring.yaml` that SQL joins."""
    return {
        "rules.engagement": _engagement(policy),
        "rules.bands": _table(
            {"band": pa.int32(), "from_points": pa.float64()}, [(band, policy.band_start(band)) for band in (1, 2, 3)]
        ),
        "rules.mql_bars": _mql_bars(policy),
        "rules.mql": _table(
            {"decisions": _TEXTS, "blocked_lists": _TEXTS, "new_accounts": pa.bool_(), "cool_down_days": pa.int32()},
            [
                (
                    list(policy.mql.decisions),
                    list(policy.mql.blocked_lists),
                    policy.mql.new_accounts,
                    policy.mql.cool_down_days,
                )
            ],
        ),
        "rules.seniorities": _table(
            {"seniority": pa.string(), "weight": pa.float64()}, sorted(policy.seniority_weights.items())
        ),
        "rules.stages": _stages(policy),
        "rules.evidence": _evidence(policy),
        "rules.exclusions": _exclusions(policy),
        "rules.account_stages": _account_stages(policy),
        "rules.buying_roles": _buying_roles(policy),
    }


def _engagement(policy: ScoringPolicy) -> pa.Table:
    number, text, whole = pa.float64(), pa.string(), pa.int32()
    columns = {
        "position": whole, "rule_id": text, "rule_group": text, "touch_types": _TEXTS, "channels": _TEXTS,
        "content_words": _TEXTS, "minutes_at_least": number, "points": number, "rule_cap": number, "group_cap": number,
        "total_cap": number, "per_day": whole, "half_life_days": whole, "percent_per_month": number,
        "window_days": whole, "oldest_days": whole, "why": text,
    }  # fmt: skip
    engagement = policy.engagement
    rows = [
        (
            position, rule.id, rule.group, list(rule.touch_types), [name.lower() for name in rule.where.channels],
            [word.lower() for word in rule.where.content_has],
            rule.where.minutes.at_least if rule.where.minutes else None,
            rule.points, rule.points if rule.once else rule.cap, engagement.group_caps.get(rule.group),
            engagement.total_cap, rule.per_day, rule.half_life_days, rule.percent_per_month, rule.window_days,
            engagement.oldest_days, rule.why,
        )
        for position, rule in enumerate(engagement.rules)
    ]  # fmt: skip
    return _table(columns, rows)


def _mql_bars(policy: ScoringPolicy) -> pa.Table:
    bars = [(grade, policy.mql_from(grade)) for grade in FIT_GRADES]
    share = policy.mql.leave_below_share
    return _table(
        {"fit_grade": pa.string(), "mql_from_points": pa.float64(), "leave_below_points": pa.float64()},
        [(grade, start, None if start is None else start * share) for grade, start in bars],
    )


def _stages(policy: ScoringPolicy) -> pa.Table:
    ranked = [(stage, rank, stage in STAGES[:-1]) for rank, stage in enumerate((*STAGES, *ENDS), start=1)]
    return _table(
        {"stage": pa.string(), "rank": pa.int32(), "is_open": pa.bool_(), "is_handover": pa.bool_()},
        [(*row, row[0] == policy.handover) for row in ranked],
    )


def _evidence_rows(evidence: Evidence) -> list[tuple[Any, ...]]:
    """One row per rule; of answers one per topic."""
    seniorities = list(evidence.seniority)
    if evidence.answers is None:
        kind = "touch" if evidence.touch else "activity" if evidence.activity else "status"
        words = [word.lower() for word in evidence.touch or evidence.activity or evidence.status]
        return [("sql", evidence.id, kind, None, words, [], seniorities, 1, evidence.why)]
    answers = evidence.answers
    negatives = [word.lower() for word in answers.negatives]
    return [
        ("sql", evidence.id, "answer", topic, [word.lower() for word in words], negatives, seniorities,
         answers.at_least, evidence.why)
        for topic, words in answers.topics.items()
    ]  # fmt: skip


def _evidence(policy: ScoringPolicy) -> pa.Table:
    text = pa.string()
    columns = {
        "stage": text, "rule_id": text, "kind": text, "topic": text, "words": _TEXTS, "negatives": _TEXTS,
        "seniorities": _TEXTS, "at_least": pa.int32(), "why": text,
    }  # fmt: skip
    said = {
        "sal": policy.feedback.sal,
        "recycled": policy.feedback.recycled,
        "disqualified": policy.feedback.disqualified,
    }
    feedback: list[tuple[Any, ...]] = [
        (stage, stage, "status", None, [word.lower() for word in words], [], [], 1, "sales said so")
        for stage, words in said.items()
    ]
    return _table(columns, [row for evidence in policy.sql.evidence for row in _evidence_rows(evidence)] + feedback)


def _exclusions(policy: ScoringPolicy) -> pa.Table:
    signs = {
        "email_domain": "email_domains",
        "company_word": "company_words",
        "name_word": "name_words",
        "title": "titles",
        "list_word": "list_words",
    }
    rows = [
        (sign, word.lower(), who, position)
        for position, (who, known_by) in enumerate(policy.exclude.kinds.items())
        for sign, field in signs.items()
        for word in getattr(known_by, field)
    ]
    rows += [("deal_type", word.lower(), "deal", len(rows)) for word in policy.ignored_deal_types]
    columns = {"kind": pa.string(), "word": pa.string(), "who": pa.string(), "position": pa.int32()}
    return _table(columns, rows)


def _account_stages(policy: ScoringPolicy) -> pa.Table:
    stages = policy.account_stages
    bars = {
        "aware": (stages.aware_points, 1, 0),
        "engaged": (stages.engaged_points, 1, 0),
        "mqa": (stages.mqa_points, stages.mqa_people, stages.mqa_roles),
    }
    columns = {"stage": pa.string(), "rank": pa.int32(), "from_points": pa.float64()}
    return _table(
        {**columns, "from_people": pa.int32(), "from_roles": pa.int32()},
        [(stage, rank, *bars.get(stage, (None, None, None))) for rank, stage in enumerate(ACCOUNT_STAGES, start=1)],
    )


def _buying_roles(policy: ScoringPolicy) -> pa.Table:
    columns = {
        "role": pa.string(),
        "position": pa.int32(),
        "seniorities": _TEXTS,
        "departments": _TEXTS,
        "deal_roles": _TEXTS,
        "why": pa.string(),
    }
    rows = [
        (
            role.id,
            position,
            list(role.seniority),
            [word.lower() for word in role.department],
            [word.lower() for word in role.deal_role],
            role.why,
        )
        for position, role in enumerate(policy.buying_group)
    ]
    return _table(columns, rows)
