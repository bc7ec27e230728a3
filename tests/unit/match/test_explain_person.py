"""Why this company, and why not that one: told from what is stored, in both languages, and never judged anew."""

import duckdb
import pytest

from abmloop.errors import BadUsage
from tasks.explain.person import explain_person
from tasks.explain.person_facts import person_facts

_MATCH = (
    "person_id, account_id, decision, method, confidence, evidence, runner_up_account_id, margin, tie_break, relation,"
    " decision_id, new_account_id"
)
_TABLES = {
    "matched.persons": ("person_id, name, company_name", ["'P1', '王**', '宏微科技'", "'P2', '赵**', '南通九洲'"]),
    "matched.person_redirects": ("old_person_id, person_id", ["'P0', 'P1'"]),
    "matched.person_rows": ("entity, row_id, person_id", ["'contacts', 'crm:c1', 'P1'", "'touches', 'web:c2', 'P2'"]),
    "matched.person_keys": ("person_id, is_strong", ["'P1', true", "'P1', false", "'P2', true"]),
    "matched.person_accounts": (
        _MATCH,
        [
            "'P1', 'A1', 'auto', 'name', 0.99, ['same_name', 'place_agrees'], 'A2', 0.4, 'customer', 'branch',"
            " null, null",
            "'P2', null, 'none', 'new_account_candidate', 0.1, [], 'A2', 0.1, null, null, 'D2', 'N1'",
        ],
    ),
    "matched.match_candidates": (
        "person_id, account_id, rank, score, features",
        [
            "'P1', 'A1', 1, 0.99, ['same_name', 'place_agrees']",
            "'P1', 'A3', 2, 0.60, ['alike']",
            "'P1', 'A2', 3, 0.59, ['same_name', 'form_differs']",
            "'P2', 'A2', 1, 0.10, ['alike', 'region_differs']",
        ],
    ),
    "matched.employments": (
        "person_id, employer_key, company_name, known_since, known_until, account_id, decision, method, confidence,"
        " is_decisive",
        [
            "'P1', '甲', '宏微科技', date '2026-05-01', null, 'A1', 'auto', 'name', 0.99, true",
            "'P1', '乙', '旧公司', date '2026-01-01', date '2026-05-01', 'A3', 'auto', 'name', 0.99, false",
            "'P2', '丙', '南通九洲', null, null, null, 'none', 'new_account_candidate', 0.0, true",
        ],
    ),
    "matched.new_accounts": ("account_id, name, people, made_by", ["'N1', '南通九洲汽车', 3, 'rule'"]),
    "matched.decided_persons": (
        "decision_id, person_id, seq, verdict, account_id, decided_on",
        ["'D2', 'P2', 1, 'reject', 'A2', date '2026-03-01'"],
    ),
    "matched.remembered": ("decision_id, actor, reason", ["'D2', '王', '另一家'", "'D2', '王', '另一家'"]),
    "matched.suppressed_persons": (
        "person_id, channel, suppressed_at",
        ["'P2', 'sms', timestamp '2026-04-01'"],
    ),
    "marts.person_regions": (
        "person_id, region, is_disputed, indications",
        ["'P1', 'DE+CN', true, ['DE (country)', 'CN (mobile)']"],
    ),
    "resolved.accounts": (
        "account_id, name, city",
        ["'A1', '江苏宏微', '常州市'", "'A2', '义乌九洲', '金华市'", "'A3', '旧企业', null"],
    ),
}


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    """A published file of two persons: one matched without doubt, one without company after a refusal."""
    con = duckdb.connect()
    for schema in ("matched", "resolved", "marts"):
        con.execute(f"create schema {schema}")
    for name, (columns, rows) in _TABLES.items():
        values = ", ".join(f"({row})" for row in rows)
        con.execute(f"create table {name} as from (values {values}) as rows({columns})")
    return con


def test_the_company_with_its_evidence_and_the_runner_up_with_what_it_lacked(con: duckdb.DuckDBPyConnection) -> None:
    told = explain_person(con, "c1", "en")
    assert "Belongs to 江苏宏微 (A1): decided by exact name, confidence 0.99" in told
    assert "  for it: the contact is where it is" in told
    assert "stood equal with another; decided by: being a customer" in told
    assert "the account is a branch of the company named" in told
    assert "runner-up: 义乌九洲 (A2), confidence 0.59, 0.40 behind; it lacks: the contact is where it is;" in told
    assert "against it: the legal form is another" in told
    assert "(1 more keys are shared with others" in told
    assert told.index("runner-up: 义乌九洲") < told.index("旧企业 (A3), confidence 0.60")


def test_without_a_company_the_nearest_are_told_with_what_each_lacked(con: duckdb.DuckDBPyConnection) -> None:
    told = explain_person(con, "P2", "zh")
    assert "未匹配到企业：看似真实但不在名录中的企业" in told
    assert "名录中最相近的：" in told
    assert (
        "义乌九洲（A2），置信度 0.10；缺少：联系人所在地一致；名称中的地区一致；邮箱或网站域名为其自有；名称完全一致"
        in told
    )
    assert "反对：名称中的地区不同" in told
    assert "新建企业 N1：南通九洲汽车（3 人），待名录确认" in told
    assert "王 于 2026-03-01：拒绝 义乌九洲：另一家（决定 D2" in told
    assert "如需决定" in told


def test_e05_the_companies_over_time_are_told_with_their_days(con: duckdb.DuckDBPyConnection) -> None:
    told = explain_person(con, "P1", "en")
    assert "宏微科技 → 江苏宏微 (exact name), known since 2026-05-01" in told
    assert "旧公司 → 旧企业 (exact name), 2026-01-01 to 2026-05-01" in told


def test_what_is_told_is_what_is_stored(con: duckdb.DuckDBPyConnection) -> None:
    """Other evidence in the file, though names and rules are the same, is another explanation."""
    con.execute("update matched.match_candidates set features = ['same_phone'], score = 0.77 where account_id = 'A3'")
    (third,) = [row for row in person_facts(con, "P1")["near"] if row["account_id"] == "A3"]
    assert (float(third["score"]), third["supports"]) == (0.77, ["same_phone"])
    assert third["lacks"] == ["place_agrees", "same_name"]


def test_the_rules_on_consent_are_told_with_what_says_so_and_who_stands_on_the_list(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assert "Consent goes by the rules of DE (country), CN (mobile): these disagree" in explain_person(con, "P1", "en")
    assert "自 2026-04-01 起在禁联名单上（sms）" in explain_person(con, "P2", "zh")


def test_a_former_id_is_followed_and_said_so(con: duckdb.DuckDBPyConnection) -> None:
    assert "(P0 leads here since" in explain_person(con, "P0", "en")
    with pytest.raises(BadUsage, match="No person P9"):
        explain_person(con, "P9", "en")


@pytest.mark.parametrize("key", ["P1", "P2"])
def test_both_languages_tell_the_same_lines(con: duckdb.DuckDBPyConnection, key: str) -> None:
    both = [explain_person(con, key, language).splitlines() for language in ("en", "zh")]
    assert len(both[0]) == len(both[1])
