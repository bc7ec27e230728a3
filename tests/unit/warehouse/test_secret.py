"""The workspace's secret: one for the life of its ledger, and the same hash from Python and SQL."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from abmloop.errors import BadUsage
from abmloop.run import Person
from warehouse.ledger import Ledger
from warehouse.secret import hash_parameters, keep_secret, keyed_hash, make_secret, name_key

BY = Person("wang", date(2026, 10, 31))
IN_SQL = "select sha256($outer_pad::blob || unhex(sha256($inner_pad::blob || encode($text))))"


@pytest.mark.parametrize("text", ["", "mobile:+8613800138000", "email:王@x.cn", "long " * 100])
def test_sql_and_python_hash_alike(tmp_path: Path, text: str) -> None:
    make_secret(tmp_path)
    found = duckdb.execute(IN_SQL, {**hash_parameters(tmp_path), "text": text}).fetchall()
    assert found == [(keyed_hash(name_key(tmp_path), text),)]


def test_a_key_that_is_gone_or_another_one_stops_the_run_before_it_renames_everybody(tmp_path: Path) -> None:
    with Ledger.of(tmp_path) as ledger:
        keep_secret(ledger, tmp_path, BY)
        keep_secret(ledger, tmp_path, BY)
        key = tmp_path / "ledger" / "suppression.key"
        key.unlink()
        with pytest.raises(BadUsage, match="restore"):
            keep_secret(ledger, tmp_path, BY)
        make_secret(tmp_path)
        with pytest.raises(BadUsage, match="not the one its ledger was written with"):
            keep_secret(ledger, tmp_path, BY)
