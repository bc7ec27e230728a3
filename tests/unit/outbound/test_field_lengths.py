"""Plays and explanations within the CRM's fields: whole sentences and characters, the rest named, in the language."""

from typing import Any

import pyarrow as pa
import pytest

from abmloop.policy import parse_policy, read_policy
from scoring.policies.crm import CrmPolicy
from scoring.values.lengths import cut_sentences, graphemes
from tasks.outbound.crm.mapping import FOLDER, in_their_words
from tasks.outbound.push.desired import make_desired
from tests.contract.world import POLICIES
from tests.unit.outbound.test_desired import TASK, gate

# Tryton's texts have no length, so its mapping declares none.
VENDORS = sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != "tryton")
PLAY = "今天致电。从最近一次互动说起，了解项目、预算和决策人。" * 4_000
LEAD: dict[str, Any] = {
    **TASK, "abm_key": "L1", "is_workable": True, "company_name": "深圳华强👨‍👩‍👧" * 60, "name": "王伟" * 200,
    "abm_stage_reason": "60 of 60 points. " * 8_000, "stage_rule": "grid", "industry_section": "C", "department": None,
    "score_reason": "; ".join(f"rule_{number} +10 (2026-10-30)" for number in range(9_000)), "campaign": None,
}  # fmt: skip


def policy_of(vendor: str) -> CrmPolicy:
    """crm.yaml as it ships, for that vendor, with a long play."""
    text = (
        (POLICIES / "crm.yaml").read_text(encoding="utf-8").replace("instance: files:default", f"instance: {vendor}:t")
    )
    shipped = parse_policy(text, CrmPolicy)
    play = shipped.plays[-1].model_copy(update={"text": {"en": PLAY, "zh": PLAY}, "when": {}})
    return in_their_words(shipped.model_copy(update={"plays": (play,)}))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("vendor", VENDORS)
def test_every_text_fits_the_field_its_mapping_declares(vendor: str, language: str) -> None:
    policy = policy_of(vendor)
    columns = {name for rule in policy.objects.values() for name, how in rule.fields.items() if how.owner != "theirs"}
    row = {**dict.fromkeys(columns, ""), **LEAD}
    tables = {"leads": pa.Table.from_pylist([row]), "tasks": pa.Table.from_pylist([{**row, "lead_key": "L1"}])}
    made = make_desired(tables, policy, gate(), language)
    checked = 0
    for name, desired in made.items():
        record = desired.records["L1"]
        for ours, how in policy.objects[name].fields.items():
            there = policy.objects[name].name_there(ours)
            if how.characters is not None and isinstance(record.get(there), str):
                assert len(record[there].encode("utf-16-le")) // 2 <= how.characters, (name, ours)
                checked += 1
    assert checked >= 6
    said = made["leads"].records["L1"][policy.objects["leads"].name_there("talk_track")]
    hint = "abmloop explain lead L1"
    assert (hint in said) == (len(said) < len(PLAY))
    assert {"en": "其余", "zh": "more:"}[language] not in said


def test_control_without_declared_lengths_texts_are_too_long() -> None:
    policy = policy_of("salesforce")
    free = {name: how.model_copy(update={"characters": None}) for name, how in policy.objects["leads"].fields.items()}
    bare = {"leads": policy.objects["leads"].model_copy(update={"fields": free})}
    made = make_desired(
        {"leads": pa.Table.from_pylist([{**dict.fromkeys(policy.objects["leads"].fields, ""), **LEAD}])},
        policy.model_copy(update={"objects": bare}), gate(), "zh",
    )  # fmt: skip
    assert len(made["leads"].records["L1"]["LastName"]) > 80


def test_a_text_is_cut_after_a_sentence_and_says_where_the_rest_is() -> None:
    assert cut_sentences("今天致电。从互动说起。了解预算。", 13, None, "（见全文）") == "今天致电。（见全文）"
    assert cut_sentences("Call today. Ask for the budget.", 22, None, " (more)") == "Call today. (more)"
    assert (
        cut_sentences("Please call today and tomorrowmorning", 34, None, " (more)") == "Please call today and… (more)"
    )
    assert cut_sentences("short", 24, None, " (more)") == "short"


def test_no_character_is_cut_through() -> None:
    text = "👨‍👩‍👧" * 30
    kept = cut_sentences(text, 60, None, "(more)").removesuffix("(more)").removesuffix("…")
    assert set(graphemes(kept)) == {"👨‍👩‍👧"}


def test_scores_and_touches_are_told_in_the_language() -> None:
    policy = read_policy(POLICIES / "crm.yaml", CrmPolicy)
    row = {
        **TASK, "stage_rule": "grid", "score_reason": "demo_requested +50 (2026-10-30); my_rule +5 (2026-10-01)",
        "last_touch": "2026-10-30, demo_request, 春季直播",
    }  # fmt: skip
    told = {
        language: make_desired({"tasks": pa.Table.from_pylist([row])}, policy, gate(), language)["tasks"]
        .records["L1-1"]["description"]
        for language in ("en", "zh")
    }  # fmt: skip
    assert "预约演示、试用或询价 +50 (2026-10-30)；my_rule +5" in told["zh"] and "达到分数线" in told["zh"]
    assert "asked for a demo, trial or quote +50 (2026-10-30); my_rule +5" in told["en"]
    assert "2026-10-30, 预约演示, 春季直播" in told["zh"] and "2026-10-30, demo request, 春季直播" in told["en"]
