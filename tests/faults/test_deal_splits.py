"""B07, from the file to staging: shares of a deal that must come to 100 %, and what is told where they do not."""

from abmloop.messages import say
from abmloop.run import Run
from tests.faults.values_world import put_raw, rows_of, stage, told

_KEPT = "select deal_id, coalesce(account_name, owner_id) as member, share from staging.deal_splits order by all"


def test_b07_shares_that_miss_a_hundred_are_told_row_by_row_and_the_other_deals_go_on(run: Run) -> None:
    stage(
        run,
        "deal_splits",
        {"deal_id": "D1", "account_name": "云帆远航科技有限公司", "share": "60%"},
        {"deal_id": "D1", "account_name": "星海智能股份有限公司", "share": "30%"},
        {"deal_id": "D2", "owner_id": "O1", "share": "33.33"},
        {"deal_id": "D2", "owner_id": "O2", "share": "33.33"},
        {"deal_id": "D2", "owner_id": "O3", "share": "33.33"},
    )
    refused = rows_of(run, "select line, rule, column_name, value, message from quality.quarantine order by line")
    words = {"rule": "share-sum", "column_name": "share", "message": f"share: {say('value_share-sum')}"}
    assert refused == [{"line": 2, "value": "60%", **words}, {"line": 3, "value": "30%", **words}]
    assert [row["member"] for row in rows_of(run, _KEPT)] == ["O1", "O2", "O3"]


def test_b07_a_share_that_is_no_number_takes_its_deal_s_others_along(run: Run) -> None:
    stage(
        run,
        "deal_splits",
        {"deal_id": "D1", "owner_id": "O1", "share": "half"},
        {"deal_id": "D1", "owner_id": "O2", "share": "50"},
    )
    refused = rows_of(run, "select line, rule from quality.quarantine order by line")
    assert refused == [{"line": 2, "rule": "number-unreadable"}, {"line": 3, "rule": "share-sum"}]


def test_b07_the_corrected_file_is_taken_though_a_row_of_it_stood_in_the_refused_one(run: Run) -> None:
    right = {"deal_id": "D1", "owner_id": "O1", "share": "60"}
    put_raw(run, deal_splits=[right, {"deal_id": "D1", "owner_id": "O2", "share": "30"}])
    stage(
        run,
        "deal_splits",
        {**right, "file_sha": "f2"},
        {"deal_id": "D1", "owner_id": "O2", "share": "40", "file_sha": "f2"},
    )
    assert [(row["member"], row["share"]) for row in rows_of(run, _KEPT)] == [("O1", 0.6), ("O2", 0.4)]
    whole = (
        "select file_sha, owner_id, percent::integer as percent from staging.split_tellings where is_whole order by all"
    )
    assert [(row["file_sha"], row["percent"]) for row in rows_of(run, whole)] == [("f2", 60), ("f2", 40)]


def test_b07_what_comes_on_a_later_day_is_judged_that_day_and_not_by_the_tellings_of_the_day_before(run: Run) -> None:
    def split(sha: str, deal: str, *shares: str) -> list[dict[str, str]]:
        return [
            {
                "deal_id": deal,
                "owner_id": f"O{number}",
                "share": share,
                "file_sha": sha,
                "row_hash": f"{deal}O{number}{share}",
            }
            for number, share in enumerate(shares)
        ]

    known = split("f1", "D1", "50", "50") + split("f1", "D2", "60", "40")
    stage(run, "deal_splits", *known)
    stage(run, "deal_splits", *split("f2", "D9", "60", "50"))
    refused = "select file_sha, value, rule from quality.quarantine order by all"
    assert [row["value"] for row in rows_of(run, refused)] == ["50", "60"]
    stage(run, "deal_splits", *split("f3", "D9", "60", "40"))
    assert [row["value"] for row in rows_of(run, refused)] == ["50"]
    of_the_deal = "select owner_id, share from staging.deal_splits where deal_id = 'D9' order by all"
    assert [(row["owner_id"], row["share"]) for row in rows_of(run, of_the_deal)] == [("O0", 0.6), ("O1", 0.4)]


def test_b07_of_a_row_with_company_and_sales_person_the_side_that_misses_a_hundred_is_told_and_the_other_holds(
    run: Run,
) -> None:
    stage(
        run,
        "deal_splits",
        {"deal_id": "D8", "account_name": "云帆远航科技有限公司", "owner_id": "O1", "share": "60"},
        {"deal_id": "D8", "account_name": "星海智能股份有限公司", "share": "40"},
        {"deal_id": "D7", "account_name": "云帆远航科技有限公司", "owner_id": "O1", "share": "70"},
        {"deal_id": "D7", "owner_id": "O2", "share": "30"},
    )
    assert told(run) == [("share", "60", "share-sum-owners", "flag"), ("share", "70", "share-sum-companies", "flag")]
    whole = (
        "select deal_id, axis, count(*) as rows from staging.split_tellings where is_whole group by all order by all"
    )
    assert rows_of(run, whole) == [
        {"deal_id": "D7", "axis": "owner", "rows": 2},
        {"deal_id": "D8", "axis": "account", "rows": 2},
    ]
