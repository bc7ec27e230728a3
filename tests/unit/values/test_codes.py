"""The checksums against their oracle, and their speed."""

import random
import time

import pyarrow as pa
import pytest
from stdnum.cn import ric, uscc

from scoring.values.codes import USCC_ALPHABET, is_uscc, parse_codes


def _codes(number: int, seed: int) -> list[str]:
    """Valid codes, invented."""
    draw = random.Random(seed)
    bodies = ("91440300" + "".join(draw.choices(USCC_ALPHABET, k=9)) for _ in range(number))
    return [body + uscc.calc_check_digit(body) for body in bodies]


def test_the_checksum_agrees_with_python_stdnum() -> None:
    draw = random.Random(7)
    codes = _codes(500, 7)
    changed = [code[:place] + draw.choice(USCC_ALPHABET) + code[place + 1 :] for code in codes for place in (0, 9, 17)]
    tried = codes + changed
    assert is_uscc(pa.array(tried)).to_pylist() == [uscc.is_valid(code) for code in tried]


def test_no_swap_of_neighbours_escapes() -> None:
    swapped = [c[:i] + c[i + 1] + c[i] + c[i + 2 :] for c in _codes(100, 3) for i in range(17) if c[i] != c[i + 1]]
    assert not any(is_uscc(pa.array(swapped)).to_pylist())


def test_o_and_i_are_read_as_digits_only_where_the_checksum_then_holds() -> None:
    codes = [code for code in _codes(300, 5) if "0" in code[8:] or "1" in code[8:]]
    broken = [code[:8] + code[8:].replace("0", "O").replace("1", "I") for code in codes]
    table = parse_codes(broken)
    assert table["uscc"].to_pylist() == codes
    assert set(table["uscc_state"].to_pylist()) == {"repaired"}


def test_identity_numbers_agree_with_python_stdnum() -> None:
    number = "11010519491231002X"
    assert ric.is_valid(number)
    assert parse_codes([number, number[:-1] + "1"])["kind"].to_pylist() == ["person_id", "uscc"]


@pytest.mark.shared_data
def test_a_million_and_a_half_codes_take_seconds(shared_data) -> None:  # type: ignore[no-untyped-def]
    import pyarrow.parquet as pq

    codes = pq.read_table(shared_data / "matching" / "registry_1_5m.parquet", columns=["uscc"])["uscc"]
    started = time.process_time()
    states = parse_codes(codes)["uscc_state"].value_counts().to_pylist()
    assert time.process_time() - started < 20
    assert {row["values"]: row["counts"] for row in states}["valid"] > 1_490_000
