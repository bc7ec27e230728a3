"""Matching two plain files from the folder they lie in."""

from pathlib import Path

import pytest

from tasks.match.files import match_files


def test_files_named_relative_to_the_current_folder_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "companies.csv").write_text("企业名称,城市\n杭州云帆信息技术有限公司,杭州市\n", encoding="utf-8")
    (tmp_path / "people.csv").write_text(
        "姓名,手机,公司名称\n李娜,13916253748,杭州云帆信息技术有限公司\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    match_files(Path("companies.csv"), Path("people.csv"), Path("matches.csv"))
    assert "杭州云帆信息技术有限公司" in (tmp_path / "matches.csv").read_text(encoding="utf-8")
