"""Who is one person: what joins rows, what never does, and after which key a person is named."""

import hashlib
from datetime import date
from random import Random

import pyarrow as pa
import pytest

from scoring.persons import SharedKeys, find_persons

SECRET = b"of a test"
DAY, NEXT = date(2026, 1, 1), date(2026, 1, 2)
COLUMNS = ("entity", "row_id", "landed_on", "key_kind", "key_value", "can_be_strong", "person_name")
Row = tuple[str, str, date, str, str, bool, str | None]


def people(*rows: Row) -> dict[str, str]:
    """row_id → person_id."""
    persons = find_persons(key_rows(*rows), SECRET)
    return dict(zip(persons.rows["row_id"].to_pylist(), persons.rows["person_id"].to_pylist(), strict=True))


def key_rows(*rows: Row) -> pa.Table:
    types = (pa.string(), pa.string(), pa.date32(), pa.string(), pa.string(), pa.bool_(), pa.string())
    return pa.table({name: pa.array([row[n] for row in rows], types[n]) for n, name in enumerate(COLUMNS)})


def test_strong_keys_join_over_several_rows() -> None:
    found = people(
        ("contacts", "c", DAY, "mobile", "+861", True, "王明"),
        ("touches", "t", DAY, "mobile", "+861", True, None),
        ("touches", "t", DAY, "email", "w@x.com", True, None),
        ("touches", "u", NEXT, "email", "w@x.com", True, None),
    )
    assert len(set(found.values())) == 1


def test_a_role_mailbox_joins_nobody() -> None:
    found = people(
        ("contacts", "a", DAY, "contact_id", "s:1", True, "王明"),
        ("contacts", "a", DAY, "email", "info@x.com", False, "王明"),
        ("contacts", "b", DAY, "contact_id", "s:2", True, "李四"),
        ("contacts", "b", DAY, "email", "info@x.com", False, "李四"),
    )
    assert found["a"] != found["b"]


def test_e05_two_people_who_share_a_phone_stay_two() -> None:
    found = people(
        ("contacts", "a", DAY, "contact_id", "s:1", True, "王明"),
        ("contacts", "a", DAY, "mobile", "+861", True, "王明"),
        ("contacts", "b", DAY, "contact_id", "s:2", True, "李四"),
        ("contacts", "b", DAY, "mobile", "+861", True, "李四"),
    )
    assert found["a"] != found["b"]


def test_ways_to_write_one_name_are_no_two_people() -> None:
    found = people(
        ("contacts", "a", DAY, "mobile", "+861", True, "王明"),
        ("contacts", "b", DAY, "mobile", "+861", True, "王先生"),
        ("contacts", "c", DAY, "mobile", "+861", True, "Wang Ming"),
    )
    assert len(set(found.values())) == 1


def test_a_row_with_a_weak_key_goes_to_its_only_bearer() -> None:
    found = people(
        ("contacts", "a", DAY, "contact_id", "s:1", True, "王明"),
        ("contacts", "a", DAY, "phone", "+8621", False, "王明"),
        ("touches", "t", DAY, "phone", "+8621", False, None),
    )
    assert found["a"] == found["t"]


def test_a_row_with_a_key_of_several_people_is_a_person_of_its_own() -> None:
    found = people(
        ("contacts", "a", DAY, "contact_id", "s:1", True, "王明"),
        ("contacts", "a", DAY, "email", "info@x.com", False, "王明"),
        ("contacts", "b", DAY, "contact_id", "s:2", True, "李四"),
        ("contacts", "b", DAY, "email", "info@x.com", False, "李四"),
        ("touches", "t", DAY, "email", "info@x.com", False, None),
    )
    assert len(set(found.values())) == 3


def test_the_name_is_that_of_the_key_landed_first_and_survives_new_keys() -> None:
    before = people(("contacts", "a", DAY, "contact_id", "s:1", True, None))
    after = people(
        ("contacts", "a", DAY, "contact_id", "s:1", True, None),
        ("contacts", "a", NEXT, "wechat_unionid", "u", True, None),
    )
    assert before["a"] == after["a"]


def test_a_refusal_on_an_earlier_address_reaches_the_person() -> None:
    found = people(
        ("contact_versions", "v", DAY, "contact_id", "s:1", True, "王明"),
        ("contact_versions", "v", DAY, "email", "old@x.com", True, "王明"),
        ("contacts", "a", DAY, "contact_id", "s:1", True, "王明"),
        ("contacts", "a", NEXT, "email", "new@x.com", True, "王明"),
        ("consents", "r", NEXT, "email", "old@x.com", True, None),
    )
    assert found["r"] == found["a"]


def test_a_lead_id_of_ours_that_the_crm_sends_back_names_its_person() -> None:
    person = people(("contacts", "a", DAY, "contact_id", "s:1", True, None))["a"]
    found = people(
        ("contacts", "a", DAY, "contact_id", "s:1", True, None),
        ("lead_status", "f", NEXT, "lead_id", f"crm:L{person[1:]}", True, None),
    )
    assert found["f"] == person


def test_e08_the_order_of_rows_changes_no_id() -> None:
    rows: tuple[Row, ...] = (
        ("contacts", "a", DAY, "contact_id", "s:1", True, "王明"),
        ("contacts", "a", DAY, "mobile", "+861", True, "王明"),
        ("touches", "t", NEXT, "mobile", "+861", True, None),
        ("touches", "u", NEXT, "phone", "+8621", False, None),
    )
    one, other = find_persons(key_rows(*rows), SECRET), find_persons(key_rows(*rows[::-1]), SECRET)
    assert one.rows.equals(other.rows)
    assert one.keys.equals(other.keys)


def test_no_rows_give_no_persons() -> None:
    persons = find_persons(key_rows(), SECRET)
    assert (persons.rows.num_rows, persons.keys.num_rows) == (0, 0)


def test_an_id_tells_nothing_without_the_secret() -> None:
    rows = key_rows(("contacts", "a", DAY, "mobile", "+8613800138000", True, None))
    one, other = find_persons(rows, b"one"), find_persons(rows, b"other")
    plain = hashlib.md5(b"mobile:+8613800138000", usedforsecurity=False).hexdigest()
    assert one.rows["person_id"] != other.rows["person_id"]
    assert plain[:16] not in one.rows["person_id"][0].as_py() + one.keys["key_hash"][0].as_py()


def test_a_lead_id_from_before_ids_were_keyed_names_its_person() -> None:
    plain = "L" + hashlib.md5(b"mobile:+861", usedforsecurity=False).hexdigest()[:16]
    found = people(
        ("contacts", "a", DAY, "mobile", "+861", True, None),
        ("lead_status", "f", NEXT, "lead_id", f"crm:{plain}", True, None),
    )
    assert found["f"] == found["a"]


@pytest.mark.parametrize(
    ("names", "is_shared"),
    [
        (("王明", "王先生", "王 明"), False),
        (("Wang Ming", "Ming Wang", "王明"), False),
        (("陳明", "陈明", "陈明先生", "陳 明 總監"), False),
        (("José Núñez", "JOSE NUNEZ", "Ｊｏｓｅ Nunez", "Nunez Jose"), False),
        (("王明", "王芳", "王强"), False),
        (("王明", "王芳", "王强", "王军"), True),
        (("王明", "李四"), True),
        (("John Smith", "Mary Jones"), True),
    ],
)
def test_e05_a_key_is_shared_when_too_many_names_bear_it(names: tuple[str, ...], is_shared: bool) -> None:
    rows = [("contacts", str(n), DAY, "email", "sales@x.com", True, name) for n, name in enumerate(names)]
    strong = find_persons(key_rows(*rows), SECRET).keys["is_strong"].to_pylist()
    assert strong == [not is_shared] * len(strong)


def test_control_without_the_guard_two_people_on_one_phone_become_one() -> None:
    rows = key_rows(
        ("contacts", "a", DAY, "mobile", "+861", True, "王明"), ("contacts", "b", DAY, "mobile", "+861", True, "李四")
    )
    guarded, blind = (find_persons(rows, SECRET, shared) for shared in (SharedKeys(), SharedKeys(9, 9, 9)))
    assert [len(set(found.rows["person_id"].to_pylist())) for found in (guarded, blind)] == [2, 1]


def test_e05_an_agencys_number_on_many_ids_joins_nobody() -> None:
    def ids(count: int) -> int:
        rows = [("contacts", str(n), DAY, "mobile", "+861", True, None) for n in range(count)]
        rows += [("contacts", str(n), DAY, "contact_id", f"crm:{n}", True, None) for n in range(count)]
        return len(set(people(*rows).values()))

    assert (ids(5), ids(6)) == (1, 6)


def test_e05_people_of_one_mailbox_without_keys_of_their_own_stay_apart() -> None:
    found = people(
        ("contacts", "a", DAY, "email", "info@x.com", False, "王明"),
        ("contacts", "b", DAY, "email", "info@x.com", False, "李四"),
        ("touches", "t", NEXT, "email", "info@x.com", False, "李四"),
        ("touches", "u", NEXT, "email", "info@x.com", False, None),
    )
    assert found["a"] != found["b"] == found["t"]
    assert found["u"] in (found["a"], found["b"])


def test_e05_what_is_signed_on_a_shared_number_goes_to_who_signed() -> None:
    found = people(
        ("contacts", "a", DAY, "contact_id", "s:1", True, "王明"),
        ("contacts", "a", DAY, "mobile", "+861", True, "王明"),
        ("contacts", "b", DAY, "contact_id", "s:2", True, "李四"),
        ("contacts", "b", DAY, "mobile", "+861", True, "李四"),
        ("touches", "t", NEXT, "mobile", "+861", True, "李四"),
        ("touches", "u", NEXT, "mobile", "+861", True, "赵六"),
    )
    assert found["t"] == found["b"]
    assert found["u"] not in (found["a"], found["b"])


def test_a_switchboards_caller_with_another_name_is_another_person() -> None:
    found = people(
        ("contacts", "a", DAY, "contact_id", "s:1", True, "王明"),
        ("contacts", "a", DAY, "phone", "+8621", False, "王明"),
        ("touches", "t", DAY, "phone", "+8621", False, "李四"),
        ("touches", "u", DAY, "phone", "+8621", False, "王先生"),
    )
    assert found["t"] != found["a"] == found["u"]


def test_the_former_ids_of_merged_people_are_those_of_their_keys() -> None:
    """matched.person_redirects builds on this: a person is named by one of their keys' hashes."""
    rows: tuple[Row, ...] = (
        ("contacts", "a", DAY, "mobile", "+861", True, "王明"),
        ("contacts", "b", NEXT, "email", "w@x.com", True, "王明"),
    )
    apart = people(*rows)
    tie: tuple[Row, ...] = (
        ("touches", "t", NEXT, "mobile", "+861", True, None),
        ("touches", "t", NEXT, "email", "w@x.com", True, None),
    )
    joined = find_persons(key_rows(*rows, *tie), SECRET)
    assert set(joined.rows["person_id"].to_pylist()) == {apart["a"]}
    assert apart["b"][1:] in [key[:16] for key in joined.keys["key_hash"].to_pylist()]


KEYS = (
    ("mobile", "+861", True), ("mobile", "+862", True), ("email", "w@x.com", True), ("email", "info@x.com", False),
    ("phone", "+8621", False), ("contact_id", "crm:1", True), ("wechat_unionid", "u", True), ("email", "l@y.com", True),
)  # fmt: skip


def tangle(random: Random) -> list[Row]:
    """Rows of a few people over a few keys, many of them shared: every kind of tie, several times."""
    return [
        ("touches", f"r{number:02}", random.choice([DAY, NEXT]), kind, value, is_strong, name)
        for number in range(12)
        for name in [random.choice(["王明", "王先生", "李四", "Wang Ming", None])]
        for kind, value, is_strong in random.sample(KEYS, random.choice([1, 1, 2]))
    ]


@pytest.mark.parametrize("seed", range(6))
def test_e08_neither_order_nor_repetition_nor_a_stranger_changes_anybody(seed: int) -> None:
    random = Random(seed)
    rows = tangle(random)
    again = [*rows, *random.sample(rows, 5), ("touches", "stranger", DAY, "email", "else@z.com", True, "王明")]
    random.shuffle(again)
    alone, together = people(*rows), people(*again)
    assert {row: person for row, person in together.items() if row != "stranger"} == alone
    assert together["stranger"] not in alone.values()
