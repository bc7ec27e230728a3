"""Every ready mapping: an export as its tool writes it → the rows it becomes (YAML beside this file)."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from abmloop.policy import parse_policy
from scoring.policies.scoring import ScoringPolicy
from scoring.policies.sources import EntityMapping, Source, SourcesPolicy
from tasks.land.entities import entities
from tasks.land.loading import tell_row
from tasks.land.looking import look_at
from tasks.land.plans import job_for, plan_file
from tasks.land.reading import Read, read_file
from tasks.land.ready import ready_mappings
from tasks.policies import DEFAULTS
from tests.unit.land.files import workbook

HERE = Path(__file__).parent / "ready_cases"


def _cases() -> Iterator[Any]:
    for path in sorted(HERE.glob("*.yaml")):
        for case, body in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            yield pytest.param(body, id=f"{path.stem}: {case}")


class Export:
    """An export read as the inbox would: recognised by its header, then by the mapping found."""

    def __init__(self, tmp_path: Path, data: bytes | str, name: str = "exports/x.csv", **source: Any) -> None:
        self.out, self.name = tmp_path / "out", name
        self.out.mkdir(exist_ok=True)
        path = tmp_path / "file"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        policy = SourcesPolicy()
        paths = (str(path), str(self.out))
        self.mapping = look_at(job_for(policy, name, paths, ())).mapping
        if source:
            policy = SourcesPolicy(sources=(Source(name="s", files=("exports/*",), mapping=self.mapping, **source),))
        self.plans = plan_file(policy, name, self.mapping)
        self.read: Read = read_file(job_for(policy, name, paths, tuple(plan.reading for plan in self.plans)))

    def rows(self, entity: str) -> list[dict[str, Any]]:
        """Rows of an entity as they go to raw; columns nothing fills are null."""
        found = pq.read_table(self.out / f"{entity}.parquet").to_pylist()
        return [{**dict.fromkeys(entities()[entity].column_names), **row} for row in found]

    def faults(self) -> list[dict[str, Any]]:
        """Refused rows and noted values, with their message in both languages as `told`."""
        found = [fault for plan in self.plans for fault in self._faults(plan.reading.entity)]
        for fault in found:
            fields = json.loads(fault["fields"])
            fault["told"] = [tell_row(fault["rule"], fields, language)[0] for language in ("en", "zh")]
        return found

    def _faults(self, entity: str) -> list[dict[str, Any]]:
        return list(pq.read_table(self.out / f"{entity}.faults.parquet").to_pylist())


@pytest.mark.parametrize("case", _cases())
def test_an_export_becomes_these_rows(tmp_path: Path, case: dict[str, Any]) -> None:
    how = {"timezone": case["timezone"]} if "timezone" in case else {}
    export = Export(tmp_path, case["file"], case.get("name", "exports/x.csv"), **how)
    assert export.mapping == case["mapping"], "known by its header"
    for entity in ready_mappings()[case["mapping"]].entities:
        wanted = case.get(entity, [])
        found = export.rows(entity)
        assert len(found) == len(wanted), found
        for expected in wanted:
            assert any(_fits(row, expected) for row in found), (expected, found)
    _compare_faults(export, case.get("refused", []), "reject_row")
    _compare_faults(export, case.get("noted", []), "null_value")
    skipped = sum((Counter(tally.skipped) for tally in export.read.tallies[:1]), Counter())
    assert case.get("skipped", {}).items() <= dict(skipped).items()


def _fits(row: dict[str, Any], expected: dict[str, Any]) -> bool:
    return all(row[name] == (None if value is None else _text(value)) for name, value in expected.items())


def _text(value: Any) -> str:
    """A value of YAML as the export has it."""
    return value.isoformat(" ") if hasattr(value, "hour") else str(value)


def _compare_faults(export: Export, wanted: list[dict[str, Any]], action: str) -> None:
    found = [fault for fault in export.faults() if fault["action"] == action]
    assert len({fault["line"] for fault in found}) == len(wanted)
    for expected in wanted:
        says = expected.pop("says")
        fault = next(fault for fault in found if fault["line"] == expected["line"])
        assert {name: fault[name] for name in expected} == expected
        assert all(says in told and str(expected["line"]) in told for told in fault["told"])


def test_every_mapping_has_a_case_and_a_title_in_both_languages() -> None:
    named = {case.values[0]["mapping"] for case in _cases()}
    assert named == set(ready_mappings())
    assert all(mapping.title.keys() == {"en", "zh"} and mapping.why for mapping in ready_mappings().values())


def test_touch_types_of_the_mappings_are_known_to_scoring_or_earn_nothing_on_purpose() -> None:
    policy = parse_policy((DEFAULTS / "scoring.yaml").read_text(encoding="utf-8"), ScoringPolicy)
    scored = {word for rule in policy.engagement.rules for word in rule.touch}
    types = {
        row.constants["type"]
        for mapping in ready_mappings().values()
        for row in mapping.rows
        if row.entity == "touches"
    }
    assert types - scored == {"email_sent", "email_delivered", "email_bounced", "call_missed"}


def test_the_same_record_in_a_longer_export_is_the_same_touch(tmp_path: Path) -> None:
    head = "通话ID,呼叫类型,主叫,被叫,接通状态,通话时长,开始时间,备注\n"
    row = "7,呼入,13817264539,01082167014,接通,60,2026-03-01 10:00:00,"
    (tmp_path / "b").mkdir()
    first = Export(tmp_path, head + row + "\n").rows("touches")
    again = Export(tmp_path / "b", head + row + "已回访\n8" + row[1:] + "\n").rows("touches")
    assert first[0]["touch_id"] == again[0]["touch_id"] != again[1]["touch_id"]


def test_a_file_no_mapping_knows_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("名称,颜色\na,rot\n", encoding="utf-8")
    assert look_at(job_for(SourcesPolicy(), "exports/x.csv", (str(path), str(tmp_path)), ())).mapping is None


def test_rows_of_other_encodings_and_bytes_before_them_read_the_same(tmp_path: Path) -> None:
    text = "会话ID,访客ID,访客昵称,客服,会话开始时间,访客消息数\ns1,v7,李雷,小王,2026-03-02 09:00:00,6\n"
    rows = []
    for number, encoding in enumerate(("utf-8", "utf-8-sig", "gb18030", "utf-16")):
        (tmp_path / str(number)).mkdir()
        rows.append(Export(tmp_path / str(number), text.encode(encoding)).rows("touches"))
    assert all(each == rows[0] for each in rows) and len(rows[0]) == 1


def test_the_day_in_a_files_name_is_given_to_the_mapping() -> None:
    (plan, _) = plan_file(SourcesPolicy(), "exports/C1/opens_2026-03-04.csv", "mail_recipients")
    assert (plan.source, plan.day, plan.mapping) == ("mail", date(2026, 3, 4), "mail_recipients")


def test_a_workbook_with_a_title_and_typed_cells_reads_like_text(tmp_path: Path) -> None:
    head = ["通话ID", "呼叫类型", "主叫号码", "被叫号码", "接通状态", "通话时长(秒)", "开始时间"]
    call = ["1", "呼入", 13817264539, "01082167014", "接通", 95, datetime(2026, 3, 1, 10)]
    workbook(tmp_path / "calls.xlsx", [["三月通话记录"], [], head, call])
    [row] = Export(tmp_path, (tmp_path / "calls.xlsx").read_bytes(), "exports/calls.xlsx").rows("touches")
    told = ("inbound_call", "13817264539", "1.58", "2026-03-01 10:00:00", 4)
    assert (row["type"], row["phone"], row["minutes"], row["occurred_at"], row["line"]) == told


def test_what_the_workspace_says_of_a_source_goes_before_the_mapping(tmp_path: Path) -> None:
    own = (EntityMapping(entity="touches", constants={"campaign_id": "C9"}),)
    data = "会话ID,访客ID,客服,会话开始时间,utm_campaign\ns1,v7,小王,2026-03-02 09:00:00,C1\n"
    export = Export(tmp_path, data, entities=own)
    assert [row["campaign_id"] for row in export.rows("touches")] == ["C9"] and export.plans[0].source == "s"


def test_a_mailbox_is_no_record_of_texts(tmp_path: Path) -> None:
    head = "From,To,{}Body,Received At\n+8613817264539,us,{}stop,2026-03-01 10:00:00\n"
    for name, about in (("", ""), ("Subject,", "Re: news,")):
        path = tmp_path / "file"
        path.write_text(head.format(name, about))
        job = job_for(SourcesPolicy(), "exports/x.csv", (str(path), str(tmp_path)), ())
        assert look_at(job).mapping == (None if name else "sms_replies")
