"""What a person sees on a screen of a hundred columns: short step lines, hints that can be typed as they stand."""

import sys
from pathlib import Path

import pytest
import typer

from abmloop.run import StepCounts
from cli.called import called_as, hints_as_called
from tasks.loop import told_line

COMMANDS = ("sync", "quarantine", "sql")
HINT = "See `abmloop quarantine list`; this abmloop knows no other. Then abmloop sync, or open published/abmloop.duckdb"


def test_a_step_tells_only_what_there_was_and_never_beyond_a_hundred_columns() -> None:
    counts = {f"rows_of_kind_{number}": number % 3 * 1_000 for number in range(20)}
    lines = told_line(StepCounts("parse", counts), 1.25).splitlines()
    assert lines[0].startswith("parse              1.2 s  rows of kind 1 1,000, ")
    assert max(map(len, lines)) <= 98 and len(lines) > 1
    assert " 0," not in " ".join(lines) and all("kind" in line and line[-1] in "0,," for line in lines)
    assert told_line(StepCounts("pull", {"rows_in": 0}), 0.1).endswith("s  nothing new")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (".venv/bin/abmloop", ".venv/bin/abmloop"),
        ("/opt/my tools/abmloop", "'/opt/my tools/abmloop'"),
        ("/somewhere/cli/__main__.py", "python -m cli"),
        ("abmloop", "abmloop"),
    ],
)
def test_a_program_is_named_as_it_was_typed(typed: str, shown: str) -> None:
    assert called_as([typed, "sync"]) == shown


def test_a_program_that_the_shell_finds_needs_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "abmloop"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert called_as([str(program)]) == "abmloop"


def test_hints_can_be_typed_as_they_stand(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [".venv/bin/abmloop", "sync"])
    with hints_as_called(COMMANDS):
        typer.echo(HINT)
        typer.echo(HINT, err=True)
    told = capsys.readouterr()
    assert (
        told.out
        == told.err
        == HINT.replace("`abmloop q", "`.venv/bin/abmloop q").replace("abmloop sync", ".venv/bin/abmloop sync") + "\n"
    )


@pytest.mark.parametrize("asked", [["sql", "select 1"], ["status", "--json"]])
def test_data_for_scripts_stays_as_it_is(
    asked: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [".venv/bin/abmloop", *asked])
    with hints_as_called(COMMANDS):
        typer.echo(HINT)
    assert capsys.readouterr().out == HINT + "\n"
