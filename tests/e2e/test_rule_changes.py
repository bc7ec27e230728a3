"""Other rules: what they do to the directory is told before anything is published."""

from pathlib import Path

from tasks.loop import run_steps
from tasks.policies import DEFAULTS
from tasks.runs import open_run
from tests.e2e.worlds import AS_OF, ask


def test_e08_other_rules_tell_what_they_change_before_the_publish(copy: Path) -> None:
    steps = ("segment", "build_marts", "check_published")
    with open_run(copy, AS_OF) as run:
        run_steps(run, only=steps)
    rules = (DEFAULTS / "icp.yaml").read_text(encoding="utf-8")
    stricter = rules.replace("B: 60", "B: 79")
    assert stricter != rules
    (copy / "config" / "icp.yaml").write_text(stricter, encoding="utf-8")
    with open_run(copy, AS_OF) as run:
        run_steps(run, only=(*steps, "publish"))
    told = dict(ask(copy, "select subject, value from quality.metrics where metric = 'rule_change'"))
    assert (told["before"], told["merged"], told["split"]) == (told["after"], 0, 0)
    assert 0 < told["regraded"] < told["after"]
