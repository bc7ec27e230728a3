"""A source that no longer tells amounts holds the publish; a single correction by hand does not."""

from abmloop.run import Run
from tasks.quality.lost_amounts import KIND, note_lost_amounts
from warehouse.steps import step


def states(run: Run, amounts: dict[str, tuple[float | None, ...]], accepted: dict[str, str] | None = None) -> list[str]:
    """The states of what is noted, where these deals were told on following days with these amounts."""
    with step(run, "given") as work:
        for name, columns in (
            ("staging.deals", "row_id varchar, source varchar, file_sha varchar"),
            *((f"staging.{one}", "row_id varchar, source varchar, file_sha varchar") for one in ("orders", "invoices")),
            ("staging.payments", "row_id varchar, source varchar, file_sha varchar"),
            ("staging.money_versions", "entity varchar, row_id varchar, landed_on date, amount decimal(18, 2)"),
        ):
            work.execute(f"create or replace table {name} ({columns})")
        for deal, told in amounts.items():
            work.execute("insert into staging.deals values (?, 'crm', 'f1')", [deal])
            for day, amount in enumerate(told):
                values = [deal, f"2026-10-{day + 1:02d}", amount]
                work.execute("insert into staging.money_versions values ('deals', ?, ?, ?)", values)
        note_lost_amounts(work, accepted or {})
        found = work.query(f"select state from quality.differences where kind = '{KIND}'")["state"].to_pylist()
    return list(found)


def holds(run: Run) -> list[str]:
    with step(run, "look") as work:
        found: list[str] = work.query("select hold_id from quality.differences")["hold_id"].to_pylist()
        return found


LOST = {f"d{number}": (100.0, None) for number in range(4)}


def test_b02_amounts_that_vanish_hold_the_publish_until_they_are_back_or_accepted(run: Run) -> None:
    assert states(run, LOST) == ["held"]
    assert states(run, LOST, {holds(run)[0]: "D1"}) == ["accepted"]
    assert states(run, dict.fromkeys(LOST, (100.0, None, 100.0))) == []
    assert states(run, dict.fromkeys(LOST, (100.0, 90.0))) == [], "control: amended amounts are news, no loss"


def test_b02_a_correction_by_hand_is_told_and_published(run: Run) -> None:
    assert states(run, {"d1": (100.0, None)}) == ["noted"]
    many = {f"d{number}": (100.0, 120.0) for number in range(30)}
    assert states(run, {**many, **{f"x{number}": (100.0, None) for number in range(4)}}) == ["noted"]
    assert states(run, {"d1": (None, None), "d2": (0.0, None)}) == [], "there was nothing to lose"
