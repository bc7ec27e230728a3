"""A command that failed says why in the language that was asked for, else in the workspace's."""

from pathlib import Path

import pytest

from cli.spoken import spoken


def test_an_error_is_told_in_the_language_asked_for_or_the_workspaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "abmloop.yaml").write_text("language: zh\n", encoding="utf-8")
    monkeypatch.delenv("ABMLOOP_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path.parent)
    assert spoken(["push", "--plan"]) == "en"
    for way in (["-w", str(tmp_path)], [f"--workspace={tmp_path}"], ["--workspace", str(tmp_path)]):
        assert spoken(["push", *way]) == "zh"
        assert spoken(["explain", "deal", "D1", *way, "--language", "en"]) == "en"
    monkeypatch.setenv("ABMLOOP_WORKSPACE", str(tmp_path))
    assert spoken(["push"]) == "zh"


def test_a_command_without_words_is_answered_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ABMLOOP_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert spoken([]) == "en"
