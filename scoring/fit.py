"""How well an account fits the ideal customer profile: points with their log, grade, completeness; targets by rule."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from scoring.conditions import Mask, columns_asked, evidence, holds, is_known
from scoring.policies.conditions import Condition
from scoring.policies.icp import LOWEST_GRADE, MAX_POINTS, Criterion, Grades, IcpPolicy

Floats = npt.NDArray[np.float64]

FIT_LOG = pa.schema({"account_id": "string", "criterion_id": "string", "points": "float64", "evidence": "string"})
RULE_TARGETS = pa.schema({"account_id": "string", "tier": "string", "rule_id": "string", "reason": "string"})


@dataclass(frozen=True)
class Fit:
    """`accounts`: account_id, fit_points, grade, completeness, one row each in the order given. `log`: account_id,
    criterion_id, points, evidence; the points of an account are the sum of its log."""

    accounts: pa.Table
    log: pa.Table


def fit_columns(policy: IcpPolicy) -> list[str]:
    """The columns of resolved.accounts that criteria and target rules read."""
    return columns_asked(policy.conditions)


def tag_masks(account_ids: pa.ChunkedArray, account_tags: pa.Table, conditions: list[Condition]) -> dict[str, Mask]:
    """Tag → where it is given, for the tags that the conditions ask for."""
    asked = sorted({tag for condition in conditions for tag in condition.tag or ()})
    bearers = {tag: account_tags.filter(pc.equal(account_tags["tag_id"], tag))["account_id"] for tag in asked}
    found = {tag: pc.is_in(account_ids, value_set=ids.combine_chunks()) for tag, ids in bearers.items()}
    return {tag: np.asarray(mask.to_numpy(), dtype=bool) for tag, mask in found.items()}


def grade_accounts(accounts: pa.Table, tags: Mapping[str, Mask], policy: IcpPolicy) -> Fit:
    """Points 0 to 100, grade A to D and completeness of each account.

    Criteria count in their order, each up to what is left of its group's cap and of 100; then the negative ones, down
    to 0. Completeness is the share of the profile's weight whose fields are known; a field weighs what it can earn.

    Source: spec 02-directory (segment, tag, grade), 04-scoring (scores are logs).
    """
    total = np.zeros(accounts.num_rows)
    of_group = {group: np.zeros(accounts.num_rows) for group in policy.groups}
    log = [FIT_LOG.empty_table()]
    for criterion in sorted(policy.criteria, key=lambda one: one.points < 0):
        asked = np.where(holds(criterion, accounts, tags), criterion.points, 0.0)
        room = np.minimum(policy.groups[criterion.group].cap - of_group[criterion.group], MAX_POINTS - total)
        points = np.minimum(asked, room) if criterion.points > 0 else np.maximum(asked, -total)
        total += points
        of_group[criterion.group] += np.maximum(points, 0)
        counted = pa.array(points != 0)
        some = accounts.filter(counted)
        ids = [some["account_id"], pa.repeat(pa.scalar(criterion.id), some.num_rows)]
        log.append(pa.table([*ids, pa.array(points[points != 0]), evidence(criterion, some)], schema=FIT_LOG))
    columns = {
        "account_id": accounts["account_id"],
        "fit_points": total,
        "grade": grade_of(total, policy.grades),
        "completeness": _completeness(accounts, policy),
    }
    return Fit(pa.table(columns), pa.concat_tables(log))


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
    """account_id, tier, rule_id, reason of the accounts that a rule puts on the target list; the first rule counts."""
    taken = np.zeros(accounts.num_rows, dtype=bool)
    found = [RULE_TARGETS.empty_table()]
    for rule in policy.targets:
        graded = np.asarray(pc.is_in(grades, value_set=pa.array(rule.grades)))
        mask = np.logical_and.reduce([graded, ~taken, *(holds(condition, accounts, tags) for condition in rule.when)])
        taken |= mask
        ids = accounts["account_id"].filter(pa.array(mask))
        same = (pa.repeat(pa.scalar(text), len(ids)) for text in (rule.tier, rule.id, rule.why))
        found.append(pa.table([ids, *same], schema=RULE_TARGETS))
    return pa.concat_tables(found)
