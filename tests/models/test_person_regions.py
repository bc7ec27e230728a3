"""Where people are, against the meaning told row by row: the model looks at most people once, which must not show."""

from collections import defaultdict
from itertools import permutations, product
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from tests.models.skeleton import Skeleton

INDICATIONS = ("country", "mobile", "company")
NUMBERS = {"+8613800138000": "CN", "+4917654648789": "DE", "+12025550100": "US", "+9990001": None}
COUNTRIES = ("DE", "CN", "US", "Atlantis", None)
UNKNOWN = "CN"
PEOPLE = 200

# What is told of a person: by which indication, which country, and the number where one says it.
Told = tuple[str, str | None, str | None]


def _people(random: Random) -> tuple[dict[str, list[Told]], dict[str, dict[str, str | None]]]:
    """What is told of each person, nothing to twice by each indication; and what matched.persons shows of them."""
    told: dict[str, list[Told]] = {}
    shown: dict[str, dict[str, str | None]] = {}
    for place in range(PEOPLE):
        countries = [random.choice(COUNTRIES) for _ in range(random.randrange(3))]
        numbers = random.sample(sorted(NUMBERS), random.randrange(3))
        companies = [random.choice(COUNTRIES) for _ in range(random.randrange(3))]
        rows: list[Told] = [("country", one, None) for one in countries]
        rows += [("mobile", NUMBERS[one], one) for one in numbers]
        rows += [("company", one, None) for one in companies]
        told[f"P{place}"] = rows
        shown[f"P{place}"] = {
            "country": random.choice([*countries, None]),
            "mobile": random.choice([*numbers, None]),
        }
    return told, shown


def _fill(skeleton: Skeleton, told: dict[str, list[Told]], shown: dict[str, dict[str, str | None]]) -> None:
    """The tables that the model reads."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    rows["matched.persons"] = [{"person_id": person, **columns} for person, columns in shown.items()]
    rows["staging.parsed_phones"] = [
        {"value": number, "country": "CN", "mobile": number, "mobile_country": country}
        for number, country in NUMBERS.items()
    ]
    for person, of_person in told.items():
        for place, (indication, country, number) in enumerate(of_person):
            name = f"{person}:{place}"
            if indication == "country":
                rows["matched.person_rows"].append({"person_id": person, "row_id": name, "entity": "contacts"})
                rows["staging.contacts"].append({"row_id": name, "country": country})
            elif indication == "mobile":
                key = {"person_id": person, "key_kind": "mobile", "key_value": number}
                rows["matched.person_keys"].append(key)
            else:
                member = {"person_id": person, "account_id": name, "decision": "auto"}
                rows["matched.person_accounts"].append(member)
                rows["resolved.accounts"].append({"account_id": name, "country": country})
    for table, filled in rows.items():
        skeleton.fill(table, [])
        skeleton.con.register("given_rows", pa.Table.from_pylist(filled))
        skeleton.con.execute(f"insert into {table} by name select * from given_rows")
        skeleton.con.unregister("given_rows")


def _meant(told: list[Told], shown: dict[str, str | None], rules: dict[str, tuple[int, bool]]) -> dict[str, Any] | None:
    """What the rules say of one person: of those that count alone only the first of all, the most telling first."""
    # A stated country that nobody can read is that of the unknown.
    read = [(one[0], UNKNOWN if one[0] == "country" and one[1] == "Atlantis" else one[1], one[2]) for one in told]
    said = [one for one in read if one[1] is not None and len(one[1]) == 2]
    if not said:
        return None
    first = min(rules[indication][0] for indication, _, _ in said)
    merits: dict[str, list[tuple[int, bool, str]]] = defaultdict(list)
    for indication, country, number in said:
        place, is_alone = rules[indication]
        is_shown = country == shown["country"] if indication == "country" else number == shown["mobile"]
        if country is not None and (not is_alone or place == first):
            merits[country].append((place, indication != "company" and not is_shown, indication))
    ordered = sorted(merits, key=lambda country: (min(merits[country])[:2], country))
    names = [", ".join(dict.fromkeys(name for _, _, name in sorted(merits[country]))) for country in ordered]
    return {
        "region": "+".join(ordered),
        "is_disputed": len(ordered) > 1,
        "indications": [f"{country} ({name})" for country, name in zip(ordered, names, strict=True)],
    }


@pytest.fixture(scope="module")
def people() -> tuple[Skeleton, dict[str, list[Told]], dict[str, dict[str, str | None]]]:
    """A warehouse with people of whom this and that is told."""
    skeleton = Skeleton()
    told, shown = _people(Random(5))
    skeleton.ensure("marts.person_regions")
    _fill(skeleton, told, shown)
    return skeleton, told, shown


@pytest.mark.parametrize("order", list(permutations(INDICATIONS)))
def test_p09_every_region_that_the_rules_count_is_named_in_their_order(
    people: tuple[Skeleton, dict[str, list[Told]], dict[str, dict[str, str | None]]], order: tuple[str, ...]
) -> None:
    skeleton, told, shown = people
    for alone in product((False, True), repeat=3):
        rules = {name: (place, alone[place - 1]) for place, name in enumerate(order, 1)}
        skeleton.con.execute("delete from rules.region_indications")
        rows = [
            {"indication": name, "place": place, "is_alone": is_alone, "unreadable_as": UNKNOWN}
            for name, (place, is_alone) in rules.items()
        ]
        skeleton.fill("rules.region_indications", rows)
        found = {row.pop("person_id"): row for row in skeleton.build("marts.person_regions", {})}
        wanted = {person: _meant(rows, shown[person], rules) for person, rows in told.items()}
        assert found == {person: row for person, row in wanted.items() if row}, rules
