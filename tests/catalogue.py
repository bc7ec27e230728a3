"""docs/catalogue.md: which test holds which line of the catalogue of bad inputs, by the tests' names.

python -m tests.catalogue
"""

import re
from collections import defaultdict
from pathlib import Path

from abmloop.yaml_text import load_yaml
from scoring.values import actions

TESTS = Path(__file__).parent
TARGET = TESTS.parent / "docs" / "catalogue.md"
PARTS = {
    "F": "Files",
    "V": "Values",
    "E": "Identity, merge, match",
    "G": "Scoring, routing",
    "C": "Push to the CRM",
    "B": "Pull-back, money",
    "A": "Attribution, return",
    "X": "Infrastructure",
    "P": "Privacy of what leaves",
    "S": "Security of files and outputs",
}
# What each line is about, in a few words of our own.
WORDS = Path(__file__).with_suffix(".yaml")
_HEAD = """# The catalogue of bad inputs, and the tests that hold it

Written by `make docs` from the names of the tests; do not edit. A test is named after the line it holds: `test_v18_…`
is about V18. For values the rules are named that stand in `quality.quarantine` and `quality.repairs`
(`scoring/values/actions.yaml` says what each does). All row-level lines together: `python -m benchmarks.dirty_million`.
"""


def lines_with_tests() -> dict[str, list[tuple[str, str]]]:
    """Line of the catalogue → (file, test) of every test named after it."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for name in re.findall(r"^\s*def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE):
            named = re.match(r"test((?:_[a-z]\d{2})+)_", name)
            for line in named[1].strip("_").upper().split("_") if named else ():
                found[line].append((path.relative_to(TESTS.parent).as_posix(), name))
    return found


def _words() -> dict[str, str]:
    declared = load_yaml(WORDS.read_text(encoding="utf-8"))
    return {line: words for lines in declared.values() for line, words in lines.items()}


def page() -> str:
    """The page: one table per part of the catalogue."""
    rules: dict[str, list[str]] = defaultdict(list)
    for rule in actions.rules().values():
        for line in rule.catalogue:
            rules[line].append(rule.name)
    parts, tests, words = [_HEAD], lines_with_tests(), _words()
    for letter, title in PARTS.items():
        lines = sorted(line for line in {*tests, *words} if line.startswith(letter))
        parts.append(f"\n## {title}\n\n| line | what | tests | rules |\n|---|---|---|---|\n")
        for line in lines:
            named = (
                "<br>".join(f"`{name}` ({path})" for path, name in tests[line]) or "under a name of its own, or none"
            )
            parts.append(f"| {line} | {words.get(line, '')} | {named} | {', '.join(rules[line])} |\n")
    return "".join(parts)


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
