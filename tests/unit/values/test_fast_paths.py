"""What the parsers read in bulk is just what their thorough paths read."""

import random

import phonenumbers
import pyarrow as pa
import pytest
import tldextract

from scoring.values import amounts, phones, times
from scoring.values.domains import domains_of
from scoring.values.suffixes import suffixes
from scoring.values.tables import load_yaml


def _numbers(seed: int) -> list[str]:
    draw = random.Random(seed)
    shapes = ("1{:010d}", "+86 1{:010d}", "86-1{:010d}", "010-{:08d}", "021{:08d}", "0755-{:08d}", "0571-{:07d}",
              "+86571{:08d}", "0{:010d}", "0{:011d}")  # fmt: skip
    return [(shape := draw.choice(shapes)).format(draw.randrange(10 ** int(shape[-4:-2]))) for _ in range(4000)]


def test_plain_numbers_are_read_as_the_thorough_path_reads_them() -> None:
    cells = pa.array([*_numbers(7), "0571-88888888", "13812345678", "14112345670", "17012345670", "010-62345678"])
    settled = phones._plain_numbers(cells)
    assert settled.null_count < len(cells) / 2
    plain = cells.filter(settled.is_valid())
    fast = phones._of_plain(plain, settled.drop_null(), "CN").to_pylist()
    assert fast == phones._parse_cells(plain, "CN").to_pylist()


def test_plain_mobiles_are_what_libphonenumber_makes_of_them() -> None:
    cells = [f"1{second}{n:09d}" for second in (3, 5, 7, 8, 9) for n in random.Random(3).sample(range(10**9), 40)]
    for row in phones.parse_phones(cells).to_pylist():
        known = phonenumbers.parse(row["value"], "CN")
        if row["phone"] and phonenumbers.is_valid_number(known):
            assert row["phone"] == phonenumbers.format_number(known, phonenumbers.PhoneNumberFormat.E164)


@pytest.mark.parametrize("timezone", ["Asia/Shanghai", "America/New_York"])
def test_iso_times_are_read_as_the_thorough_path_reads_them(timezone: str) -> None:
    draw = random.Random(5)
    days = [
        f"{draw.randrange(1905, 2105)}-{draw.randrange(0, 14):02d}-{draw.randrange(0, 33):02d}" for _ in range(3000)
    ]
    clocks = [f" {draw.randrange(26):02d}:{draw.randrange(62):02d}:{draw.randrange(62):02d}" for _ in days]
    values = pa.array([*days, *(day + clock for day, clock in zip(days, clocks, strict=True)), "2026-03-08 02:30:00"])
    assert times.parse_times(values, timezone).to_pylist() == times._parse_texts(values, timezone).to_pylist()


def test_plain_amounts_and_headcounts_are_read_as_the_thorough_path_reads_them() -> None:
    numbers = pa.array(["0", "1", "12.5", "-100", "123456", "0.01", "9999999999999.99", "20", "500", "100000"])
    assert amounts.parse_amounts(numbers).to_pylist() == amounts._parse_amount_texts(numbers).to_pylist()
    people = pa.array(["1", "20", "123456", "99", "500"])
    assert amounts.parse_employees(people).to_pylist() == amounts._parse_employee_texts(people).to_pylist()


def test_registrable_domains_are_those_of_the_public_suffix_list() -> None:
    singly = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    own = load_yaml("domains")["registries"] + load_yaml("domains")["public"]
    rules = [rule for rule in sorted(suffixes().exact | suffixes().starred)[::7] if rule not in own]
    hosts = [head + rule for rule in rules for head in ("", "foo.", "www.foo.", "a.b.c.foo.")]
    hosts += ["1.2.3.4", "localhost", "münchen.de", "www.ck", "foo.ck", "x.kawasaki.jp", "a..b.com", "例子.中国"]
    found = domains_of(pa.array(hosts))[0].to_pylist()
    for host, domain in zip(hosts, found, strict=True):
        expected = singly(host).top_domain_under_public_suffix or None
        assert domain == expected, host
