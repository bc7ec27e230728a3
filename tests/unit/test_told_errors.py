"""Every error that people can meet takes its words from the catalogue, so that it can be told in their language."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("abmloop", "cli", "flows", "scoring", "tasks", "warehouse")
TOLD = {"said", "together", "stopped_words"}
# Built from a rule or from another error, or the CRM's own words: their arguments are no texts of ours.
OWN_WORDS = {"Refused", "Interrupted", "BatchRefused"}
# What only whoever changes the program can make wrong: what ships with it contradicts itself.
DECLARATIONS = {
    "abmloop/messages/__init__.py",
    "tasks/land/entities.py",
    "tasks/land/ready.py",
    "warehouse/models.py",
    "warehouse/tables.py",
}
# The declared tables, asked for by a step of ours.
STEPS_OF_OURS = {("warehouse/steps.py", "_spec"), ("warehouse/steps.py", "_hold_to_declared")}


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _modules() -> dict[str, ast.Module]:
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def _errors(modules: dict[str, ast.Module]) -> set[str]:
    """The names of our errors: AbmError and all that come from it."""
    bases = {
        node.name: {_name(base) for base in node.bases}
        for module in modules.values()
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef)
    }
    found = {"AbmError"}
    while more := {name for name, of in bases.items() if of & found} - found:
        found |= more
    return found


def _is_told(text: ast.AST) -> bool:
    """Whether a message is of the catalogue, or that of another error."""
    return _name(text.func) in TOLD if isinstance(text, ast.Call) else _name(text) == "message"


def _untold(module: ast.AST, errors: set[str]) -> Iterator[ast.Call]:
    """The errors made in a module whose message is none of the catalogue."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and _name(node.func) in errors and not any(map(_is_told, node.args)):
            yield node


def _allowed(path: str, module: ast.Module) -> set[int]:
    """The lines of the functions that are told nobody but ourselves."""
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    own = [one for one in functions if (path, one.name) in STEPS_OF_OURS]
    return {line for one in own for line in range(one.lineno, (one.end_lineno or one.lineno) + 1)}


def test_every_error_is_told_in_either_language() -> None:
    modules = {path: module for path, module in _modules().items() if path not in DECLARATIONS}
    errors = _errors(modules)
    assert {"BadUsage", "ChannelStopped", "SlowDown", "Busy"} <= errors
    english = [
        f"{path}:{call.lineno}"
        for path, module in modules.items()
        for call in _untold(module, errors - OWN_WORDS)
        if call.lineno not in _allowed(path, module)
    ]
    assert english == [], "say it with `said(code, …)` of abmloop/messages"


def test_what_a_rules_file_gets_wrong_is_told_in_either_language() -> None:
    english = [
        f"{path}:{call.lineno}"
        for path, module in _modules().items()
        if path.startswith("scoring/policies/")
        for call in _untold(module, {"ValueError"})
    ]
    assert english == [], "say it with `ValueError(said(code, …))`"


def test_an_error_in_plain_english_is_found() -> None:
    module = ast.parse('raise BadUsage(f"no {name}")\nraise BadUsage(said("no_name", name=name))\n')
    assert [call.lineno for call in _untold(module, {"BadUsage"})] == [1]
