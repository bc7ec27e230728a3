"""Who gets a lead, and when it goes back."""

import json
import random
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest

from abmloop.policy import parse_policy, read_policy
from scoring.policies.routing import ReclaimRule, RoutingPolicy
from scoring.routing import assign_owners, reclaim_at
from tests.unit.scoring.lives import DEFAULTS

ON = date(2026, 3, 3)
_TEXT, _TEXTS = pa.string(), pa.list_(pa.string())
LEADS = pa.schema(
    [("lead_id", _TEXT), ("account_id", _TEXT), ("fit_grade", _TEXT), ("engagement_band", pa.int32()),
     ("engagement_points", pa.float64()), ("entered_at", pa.timestamp("us")), ("waits_in", _TEXT), ("channel", _TEXT),
     ("provinces", _TEXTS), ("industries", _TEXTS), ("sizes", _TEXTS), ("products", _TEXTS), ("languages", _TEXTS),
     ("holder_id", _TEXT),
     ("holder_rule", _TEXT), ("holder_evidence", _TEXT), ("reserved_owner_id", _TEXT), ("cooling_owner_ids", _TEXTS),
     ("goes_first", pa.bool_())]
)  # fmt: skip
OWNERS = pa.schema(
    [("owner_id", _TEXT), ("team", _TEXT), ("provinces", _TEXTS), ("industries", _TEXTS), ("sizes", _TEXTS),
     ("products", _TEXTS), ("languages", _TEXTS), ("skills", _TEXTS),
     ("daily_capacity", pa.int64()), ("holding_limit", pa.int64()),
     ("is_active", pa.bool_()), ("away_until", pa.date32()), ("held", pa.int64()), ("taken_today", pa.int64())]
)  # fmt: skip
TURNS = pa.schema([("pool_id", _TEXT), ("owner_id", _TEXT), ("last_turn", pa.int64()), ("taken", pa.int64())])


def _lead(lead_id: str = "L1", **other: Any) -> dict[str, Any]:
    usual = {"fit_grade": "B", "engagement_band": 2, "engagement_points": 30.0, "entered_at": datetime(2026, 3, 1)}
    return {"lead_id": lead_id, **usual, **other}


def _owner(owner_id: str, **other: Any) -> dict[str, Any]:
    return {"owner_id": owner_id, "team": "north", "is_active": True, "held": 0, "taken_today": 0, **other}


def _policy(text: str | None = None) -> RoutingPolicy:
    return parse_policy(text, RoutingPolicy) if text else read_policy(DEFAULTS / "routing.yaml", RoutingPolicy)


def _assign(leads: list[Any], owners: list[Any], turns: list[Any] | None = None, policy: str | None = None) -> Any:
    """lead_id → the decision."""
    decided = assign_owners(
        pa.Table.from_pylist(leads, schema=LEADS),
        pa.Table.from_pylist(owners, schema=OWNERS),
        _policy(policy),
        ON,
        pa.Table.from_pylist(turns or [], schema=TURNS),
    )
    return {row["lead_id"]: row for row in decided.to_pylist()}


def _gates(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(gate["owner"], gate["gate"]) for gate in json.loads(row["gates"])]


def test_who_works_the_company_gets_the_lead_even_when_full() -> None:
    lead = _lead(holder_id="o2", holder_rule="open_deal", holder_evidence="d1", provinces=["广东"])
    owners = [_owner("o1", provinces=["广东"]), _owner("o2", daily_capacity=1, taken_today=1)]
    row = _assign([lead], owners)["L1"]
    assert (row["owner_id"], row["method"], row["reason"]) == ("o2", "holder", "open_deal")


def test_two_new_leads_of_one_company_go_to_one_person() -> None:
    leads = [_lead("L1", account_id="A1"), _lead("L2", account_id="A1"), _lead("L3", account_id="A2")]
    found = _assign(leads, [_owner("o1"), _owner("o2")])
    assert [found[name]["owner_id"] for name in ("L1", "L2", "L3")] == ["o1", "o1", "o2"]


def test_a_reserved_account_stays_in_its_team() -> None:
    owners = [_owner("o1", team="key", is_active=False), _owner("o2", team="north"), _owner("o3", team="key")]
    row = _assign([_lead(reserved_owner_id="o1")], owners)["L1"]
    assert (row["owner_id"], row["method"]) == ("o3", "reserved")
    assert _gates(row) == [("o1", "inactive")]


def test_a_reserved_account_waits_for_its_team_and_goes_to_nobody_else() -> None:
    owners = [_owner("o1", team="key", is_active=False), _owner("o2", team="north")]
    row = _assign([_lead(reserved_owner_id="o1")], owners)["L1"]
    assert (row["owner_id"], row["method"], row["reason"]) == (
        None,
        "reserved",
        "reserved_waits",
    )


def test_leads_of_listed_companies_go_first() -> None:
    leads = [_lead("L1", fit_grade="A", goes_first=False), _lead("L2", fit_grade="D", goes_first=True)]
    found = _assign(leads, [_owner("o1", daily_capacity=1)])
    assert (found["L1"]["owner_id"], found["L2"]["owner_id"]) == (None, "o1")


def test_territory_goes_before_the_pool_and_the_narrower_one_first() -> None:
    lead = _lead(provinces=["广东", "440000"], industries=["c", "34"])
    owners = [_owner("o1"), _owner("o2", provinces=["广东"]), _owner("o3", provinces=["广东"], industries=["c"])]
    row = _assign([lead], owners)["L1"]
    assert (row["owner_id"], row["method"], row["details"]) == (
        "o3",
        "territory",
        '{"dimensions": ["provinces", "industries"]}',
    )


def test_an_unknown_province_is_in_no_territory() -> None:
    row = _assign([_lead(provinces=[])], [_owner("o1", provinces=["广东"]), _owner("o2")])["L1"]
    assert (row["owner_id"], row["method"]) == ("o2", "pool")


def test_a_language_is_asked_only_where_it_is_known() -> None:
    owners = [_owner("o1", provinces=["广东"], languages=["en"]), _owner("o2", provinces=["广东"], languages=["zh"])]
    found = _assign([_lead("L1", provinces=["广东"], languages=["zh"]), _lead("L2", provinces=["广东"])], owners)
    assert (found["L1"]["owner_id"], found["L2"]["owner_id"]) == ("o2", "o1")


def test_a_territory_of_which_nothing_is_known_to_fit_is_none() -> None:
    assert _assign([_lead()], [_owner("o1", products=["mes"], languages=["zh"])])["L1"]["method"] == "pool"


def test_turns_go_round_best_lead_first() -> None:
    leads = [_lead(f"L{n}", engagement_points=float(n)) for n in range(4)]
    found = _assign(leads, [_owner("o1"), _owner("o2")])
    assert [(found[f"L{n}"]["owner_id"], found[f"L{n}"]["turn"]) for n in (3, 2, 1, 0)] == [
        ("o1", 1), ("o2", 2), ("o1", 3), ("o2", 4),
    ]  # fmt: skip


def test_turns_go_on_where_they_stopped() -> None:
    turns = [{"pool_id": "sales", "owner_id": "o1", "last_turn": 7, "taken": 4}]
    row = _assign([_lead()], [_owner("o1"), _owner("o2")], turns)["L1"]
    assert (row["owner_id"], row["turn"]) == ("o2", 8)


def test_weights_share_three_to_one() -> None:
    policy = "pools: [{id: sales, mode: assigned, turn: weighted, weights: {o1: 3}, why: o1 has more time}]"
    found = _assign([_lead(f"L{n:02}") for n in range(40)], [_owner("o1"), _owner("o2")], policy=policy)
    assert sum(row["owner_id"] == "o1" for row in found.values()) == 30


def test_fewest_in_the_period_comes_first() -> None:
    policy = "pools: [{id: sales, mode: assigned, turn: fewest, why: even}]"
    turns = [
        {"pool_id": "sales", "owner_id": "o1", "last_turn": 1, "taken": 5},
        {"pool_id": "sales", "owner_id": "o2", "last_turn": 9, "taken": 2},
    ]
    assert _assign([_lead()], [_owner("o1"), _owner("o2")], turns, policy)["L1"]["owner_id"] == "o2"


def test_the_best_lead_gets_the_last_free_place() -> None:
    leads = [_lead("L1", fit_grade="B"), _lead("L2", fit_grade="A")]
    found = _assign(leads, [_owner("o1", daily_capacity=5, taken_today=4)])
    assert found["L2"]["owner_id"] == "o1"
    assert found["L1"]["owner_id"] is None
    assert found["L1"]["pool_id"] == "public"
    assert _gates(found["L1"]) == [("o1", "daily_capacity")]


def test_a_lead_that_stays_in_its_pool_is_not_told_again() -> None:
    assert _assign([_lead(waits_in="public")], []) == {}


def test_who_lost_the_lead_may_not_have_it_again_at_once() -> None:
    row = _assign(
        [_lead(cooling_owner_ids=["o1"], holder_id="o1", holder_rule="colleague_lead", holder_evidence="L1")],
        [_owner("o1")],
    )["L1"]
    assert row["owner_id"] is None
    assert _gates(row) == [("o1", "cool_down"), ("o1", "cool_down")]


def test_a_pool_takes_what_its_conditions_say() -> None:
    policy = """
pools:
  - {id: top, mode: assigned, where: {grades: [A]}, teams: [key], why: best people for best leads}
  - {id: rest, mode: claim, why: all others}
"""
    owners = [_owner("o1"), _owner("o2", team="key")]
    found = _assign([_lead("L1", fit_grade="A"), _lead("L2")], owners, policy=policy)
    assert (found["L1"]["owner_id"], found["L2"]["pool_id"]) == ("o2", "rest")


def test_a_pool_that_asks_for_skills_gives_its_leads_to_who_has_all_of_them() -> None:
    policy = "pools: [{id: sales, mode: assigned, skills: [robots, english], why: they ask in English}]"
    owners = [_owner("o1", skills=["robots"]), _owner("o2", skills=["english", "robots", "chess"])]
    assert _assign([_lead()], owners, policy=policy)["L1"]["owner_id"] == "o2"


def test_of_many_who_are_passed_over_the_first_are_named_and_the_others_counted() -> None:
    owners = [*(_owner(f"o{number:02}", is_active=number % 2 == 0, away_until=ON) for number in range(30)), _owner("z")]
    found = _assign([_lead("L1"), _lead("L2")], owners)
    for row in found.values():
        gates = json.loads(row["gates"])
        assert (row["owner_id"], len(gates)) == ("z", 22)
        assert gates[-2:] == [
            {"rule": "sales", "gate": "away", "count": 5},
            {"rule": "sales", "gate": "inactive", "count": 5},
        ]


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    draw = random.Random(seed)
    leads = [
        _lead(f"L{n}", account_id=f"A{n % 7}", provinces=[draw.choice(["广东", "江苏"])], fit_grade=draw.choice("ABC"))
        for n in range(40)
    ]
    owners = [_owner(f"o{n}", provinces=draw.choice([None, ["广东"], ["江苏"]]), daily_capacity=4) for n in range(6)]
    expected = _assign(leads, owners)
    draw.shuffle(leads)
    draw.shuffle(owners)
    assert _assign(leads, owners) == expected


def _back(claimed: str, *activities: str) -> str:
    """The day on which a lead claimed that day goes back, in Shanghai."""
    times = [datetime.fromisoformat(f"2026-{day} 04:00") for day in (claimed, *activities)]
    kind = pa.timestamp("us")
    found = reclaim_at(pa.array(times[:1], kind), pa.array([times[1:]], pa.list_(kind)), ReclaimRule(), "Asia/Shanghai")
    return str(found[0].as_py())


@pytest.mark.parametrize(
    ("activities", "day"),
    [
        ((), "2026-04-04"),
        (("03-28",), "2026-04-04"),
        (("03-28", "04-02"), "2026-04-05"),
        (("03-28", "04-02", "04-05"), "2026-04-08"),
        (("03-28", "04-02", "04-05", "04-08", "04-11", "04-13"), "2026-04-14"),
        (("04-05", "03-28", "04-02"), "2026-04-08"),  # any order
        (("04-10",), "2026-04-04"),  # too late: it had gone back
        (("03-20", "03-24"), "2026-04-04"),  # before the claim
    ],
)
def test_reclaim_worked_case_of_25_march(activities: tuple[str, ...], day: str) -> None:
    assert _back("03-25", *activities) == f"{day} 15:59:59"  # the end of that day in Shanghai


def test_an_unclaimed_lead_has_no_time_to_go_back() -> None:
    kind = pa.timestamp("us")
    assert reclaim_at(pa.array([None], kind), pa.array([[]], pa.list_(kind)), ReclaimRule(), "UTC").to_pylist() == [
        None
    ]
