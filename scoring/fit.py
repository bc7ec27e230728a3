"""How well an account fits the ideal customer profile: points with their log, grade, completeness; targets by rule."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from scoring.conditions import Mask, columns_asked, holds, is_known
from scoring.policies.icp import LOWEST_GRADE, MAX_POINTS, Criterion, Grades, IcpPolicy

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RULE_TARGETS = pa.schema(
    {
        **dict.fromkeys(("account_id", "tier", "rule_id", "reason"), "string"),
        "valid_from": "date32",
        "valid_to": "date32",
    }
)


def fit_columns(policy: IcpPolicy) -> list[str]:
    """The columns of resolved.accounts that criteria and target rules read."""
    return columns_asked(policy.conditions)


def grade_accounts(accounts: pa.Table, tags: Mapping[str, Mask], policy: IcpPolicy) -> pa.Table:
    """Fit of each account, in the order given: account_id, fit_points (0 to 100), grade A to D, completeness (0..1),
    criteria (positions in the policy of those that counted) and criterion_points (what each gave; they sum to the fit).

    Criteria count in their order, each up to what is left of its group's cap and of 100; then the negative ones, down
    to 0. Completeness is the share of the profile's weight whose fields are known; a field weighs what it can earn.
    `tags`: as of `scoring.tags.tag_accounts`. Each account is judged by itself: any subset gives the same rows.

    Source: spec 02-directory (segment, tag, grade), 04-scoring (scores are logs).
    """
    total = np.zeros(accounts.num_rows)
    of_group = {group: np.zeros(accounts.num_rows) for group in policy.groups}
    log: list[tuple[int, Ints, Floats]] = []
    for position, criterion in sorted(enumerate(policy.criteria), key=lambda one: one[1].points < 0):
        asked = np.flatnonzero(holds(criterion, accounts, tags))
        room = np.minimum(
            policy.groups[criterion.group].cap - of_group[criterion.group][asked], MAX_POINTS - total[asked]
        )
        points = (
            np.minimum(criterion.points, room) if criterion.points > 0 else np.maximum(criterion.points, -total[asked])
        )
        total[asked] += points
        of_group[criterion.group][asked] += np.maximum(points, 0)
        log.append((position, asked[points != 0], points[points != 0]))
    criteria, criterion_points = _lists(log, accounts.num_rows)
    columns = {
        "account_id": accounts["account_id"],
        "fit_points": total,
        "grade": grade_of(total, policy.grades),
        "completeness": _completeness(accounts, policy),
        "criteria": criteria,
        "criterion_points": criterion_points,
    }
    return pa.table(columns)


def _lists(log: list[tuple[int, Ints, Floats]], size: int) -> tuple[pa.Array, pa.Array]:
    """Per account the positions of the criteria that counted, and their points; `log`: position, accounts, points."""
    account = np.concatenate([np.zeros(0, dtype=np.int64), *(rows for _, rows, _ in log)])
    position = np.concatenate([np.zeros(0, dtype=np.int16), *(np.full(len(rows), at, np.int16) for at, rows, _ in log)])
    points = np.concatenate([np.zeros(0), *(given for _, _, given in log)])
    order = np.argsort(account, kind="stable")
    ends = np.r_[0, np.cumsum(np.bincount(account, minlength=size))].astype(np.int32)
    offsets = pa.array(ends, pa.int32())
    return (
        pa.ListArray.from_arrays(offsets, pa.array(position[order])),
        pa.ListArray.from_arrays(offsets, pa.array(points[order])),
    )


def grade_of(points: Floats, grades: Grades) -> pa.Array:
    """A, B, C or D for each number of points."""
    rounded = np.round(points, 9)  # 79.999… from sums of fractions is 80
    names = np.select([rounded >= grades.A, rounded >= grades.B, rounded >= grades.C], ["A", "B", "C"], LOWEST_GRADE)
    return pa.array(names, pa.string())


def _completeness(accounts: pa.Table, policy: IcpPolicy) -> Floats:
    weight: dict[str, tuple[Criterion, float]] = {}
    for criterion in policy.criteria:
        if criterion.asks and criterion.points > 0:
            most = max(criterion.points, weight.get(criterion.asks, (criterion, 0.0))[1])
            weight[criterion.asks] = (criterion, most)
    known, all_of_it = np.zeros(accounts.num_rows), 0.0
    for criterion, points in weight.values():
        mask = is_known(criterion, accounts)
        known += points * (mask if mask is not None else 0)
        all_of_it += points
    return known / all_of_it if all_of_it else np.ones(accounts.num_rows)


def targets_by_rule(accounts: pa.Table, grades: pa.Array, tags: Mapping[str, Mask], policy: IcpPolicy) -> pa.Table:
    """The accounts that a rule puts on the target list, as RULE_TARGETS; the first rule that holds counts."""
    taken = np.zeros(accounts.num_rows, dtype=bool)
    found = [RULE_TARGETS.empty_table()]
    for rule in policy.targets:
        graded = np.asarray(pc.is_in(grades, value_set=pa.array(rule.grades)))
        mask = np.logical_and.reduce([graded, ~taken, *(holds(condition, accounts, tags) for condition in rule.when)])
        taken |= mask
        ids = accounts["account_id"].filter(pa.array(mask))
        said = (rule.tier, rule.id, rule.why, rule.valid_from, rule.valid_to)
        same = (
            pa.repeat(pa.scalar(value, kind), len(ids))
            for value, kind in zip(said, RULE_TARGETS.types[1:], strict=True)
        )
        found.append(pa.table([ids, *same], schema=RULE_TARGETS))
    return pa.concat_tables(found)
