"""Lists leave through the gate only: who may be on one, who goes off, what its file says, what stays on record."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from abmloop.errors import BadPolicy, BadUsage, Busy
from abmloop.policy import parse_policy, read_policy
from scoring.audiences.platforms import platforms
from scoring.policies.audiences import AudiencesPolicy, ListRule
from scoring.policies.consent import ConsentPolicy
from tasks.outbound.lists.decide import decide
from tasks.outbound.lists.export import Asked, confirm_upload, settle_exports
from tests.contract.world import POLICIES, consent_policy
from tests.unit.outbound.list_world import ListWorld, address, files_of, lines_of, number, rule

CALLS = rule(kind="call")
TENCENT = rule(kind="ad", platform="tencent")
LATE = datetime(2026, 10, 29)


@pytest.fixture
def world(tmp_path: Path) -> ListWorld:
    return ListWorld(tmp_path)


@pytest.fixture
def small_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Platforms that take lists of any size."""
    for platform in platforms().values():
        monkeypatch.setitem(platform.__dict__, "minimum", 0)


def held(world: ListWorld, made: ListRule) -> dict[str, int]:
    desk = world.desk(made)
    with world.ledger.transaction() as connection:
        desk.gate.refresh(connection)
    return dict(decide(desk).held)


def test_p08_without_a_word_nobody_in_china_is_called(world: ListWorld) -> None:
    assert world.make(CALLS) == []
    assert held(world, CALLS) == {"not_granted": 5}
    assert files_of(world) == []


def test_who_agreed_is_on_the_list_with_hours_and_proof(world: ListWorld) -> None:
    world.say(1, "call", "granted")
    [parcel] = world.make(CALLS)
    [row] = lines_of(parcel.path)
    assert (row["mobile"], row["name"]) == (number(1), "王1")
    assert row["not_before"] == "2026-10-30 11:00 Asia/Shanghai"
    assert row["not_after"] == "2026-10-30 20:00 Asia/Shanghai"
    assert row["allowed_by"].startswith("call: ")
    assert row["valid_until"] == "2026-10-31 03:00 UTC"
    assert parcel.path.stat().st_mode & 0o077 == 0


def test_p09_a_grant_for_one_thing_is_none_for_another(world: ListWorld, small_platforms: None) -> None:
    world.grant("call")
    assert held(world, rule(kind="sms", message=SMS)) == {"not_granted": 5}
    agency = rule(kind="call", handler={"name": "某呼叫中心", "region": "CN"})
    assert held(world, agency) == {"share_not_granted": 5}
    world.grant("share")
    assert held(world, agency) == {}
    assert held(world, rule(kind="call", handler={"name": "Agency", "region": "SG"})) == {"cross_border_not_granted": 5}
    world.grant("ad")
    assert held(world, TENCENT) == {}
    assert held(world, rule(kind="ad", platform="linkedin")) == {"cross_border_not_granted": 5}
    world.grant("cross_border")
    assert held(world, rule(kind="ad", platform="linkedin")) == {}


def test_a_refusal_on_one_key_holds_for_the_other_and_for_later_ones(world: ListWorld) -> None:
    world.grant("call")
    world.say(1, "call", "refused", LATE, key="email")
    assert held(world, CALLS) == {"refused": 1}
    world.changes[1] = {"mobile": number(77)}
    assert held(world, CALLS)["refused"] == 1


def test_p08_a_grant_on_a_number_that_two_share_is_nobodys(world: ListWorld) -> None:
    world.changes[2] = {"mobile": number(1)}
    world.say(1, "call", "granted")
    assert held(world, CALLS) == {"not_granted": 5}
    world.say(1, "call", "refused")
    assert held(world, CALLS) == {"refused": 2, "not_granted": 3}


def test_p43_a_key_that_is_shared_masked_or_invented_is_not_used_and_counted(world: ListWorld) -> None:
    world.grant("call", "ad")
    world.changes |= {
        1: {"is_own_mobile": False}, 2: {"mobile": "138****8000"}, 3: {"mobile": "13800000000"}, 4: {"mobile": None},
    }  # fmt: skip
    desk = world.desk(TENCENT)
    with world.ledger.transaction() as connection:
        desk.gate.refresh(connection)
    decision = decide(desk)
    assert decision.unused == {"mobile_shared": 1, "mobile_masked": 1, "mobile_invalid": 1, "mobile_none": 1}
    assert [one.subject for one in decision.entries] == ["P5"]
    assert decision.asked == decision.wanted + sum(decision.held.values())


def test_p13_who_was_reached_often_enough_is_left_alone(world: ListWorld) -> None:
    world.grant("call")
    day = timedelta(days=1)
    sizes = []
    for _ in range(4):
        sizes.append(sum(parcel.file.rows for parcel in world.make(CALLS)))
        world.at += 3 * day
    assert sizes == [5, 5, 0, 0]
    assert held(world, CALLS) == {"frequency_cap": 5}


def test_p13_a_list_made_anew_whole_counts_like_one_that_grows(world: ListWorld) -> None:
    world.grant("call")
    whole = Asked("tester", is_full=True)
    sizes = []
    for _ in range(4):
        sizes.append(sum(parcel.file.rows for parcel in world.make(CALLS, asked=whole)))
        world.at += timedelta(days=3)
    assert sizes == [5, 5, 0, 0]


def test_p13_touches_of_a_campaign_count_and_the_lists_own_campaign_counts_once(world: ListWorld) -> None:
    world.grant("call")
    reached = {"P1": {"C1", "C2"}, "P2": {"C1", "C9"}}
    mine = rule(kind="call", campaign="C9")
    desk = world.desk(mine, contacts=(reached,))
    with world.ledger.transaction() as connection:
        desk.gate.refresh(connection)
    assert {one.subject for one in decide(desk).entries} == {"P2", "P3", "P4", "P5"}


def test_p13_a_list_that_runs_out_before_the_morning_holds_nobody(world: ListWorld) -> None:
    world.grant("call")
    world.at = world.at.replace(hour=13)  # nine in the evening in China
    assert held(world, rule(kind="call", valid_hours=2)) == {"outside_hours": 5}
    assert held(world, rule(kind="call", valid_hours=14)) == {}


def test_p13_a_number_of_which_nobody_knows_where_it_is_is_not_called(world: ListWorld) -> None:
    world.grant("call")
    world.changes[1] = {"mobile": "+80012345678", "region": "US"}
    assert held(world, CALLS) == {"no_usable_key": 1}
    world.changes[1] = {"mobile": "+8821612345678", "region": "US"}
    assert sum(held(world, CALLS).values()) == 1


def test_p41_a_european_with_a_number_of_the_mainland_is_asked_for_all_that_both_ask(
    world: ListWorld, small_platforms: None
) -> None:
    google = rule(kind="ad", platform="google")
    world.changes |= {place: {"region": "DE+CN"} for place in range(1, 6)}
    world.grant("ad")
    assert held(world, google) == {"cross_border_not_granted": 5}
    world.grant("cross_border")
    assert held(world, google) == {"ad_user_data_not_granted": 5}
    world.grant("ad_user_data", "ad_personalization")
    assert held(world, google) == {}
    world.changes |= {place: {"region": "CN"} for place in range(1, 6)}
    world.say(1, "ad_user_data", "withdrawn")
    assert held(world, google) == {}, "control: with the number alone Google's consents are never asked for"


def test_p13_caps_and_hours_of_every_region_hold(world: ListWorld) -> None:
    world.grant("call")
    world.changes[1] = {"region": "DE+CN"}  # eleven in China, four in the morning in Germany
    assert held(world, rule(kind="call", valid_hours=2)) == {"outside_hours": 1}


def test_p18_an_address_that_bounced_is_neither_written_to_nor_hashed(world: ListWorld, small_platforms: None) -> None:
    world.grant("email", "ad", "cross_border")
    letter = rule(kind="email", message=MAIL | {"subject": "[AD] 十月动态"})
    world.changes[1] = {"is_dead_email": True}
    desk = world.desk(letter)
    with world.ledger.transaction() as connection:
        desk.gate.refresh(connection)
    decision = decide(desk)
    assert (dict(decision.held), dict(decision.unused)) == ({"no_usable_key": 1}, {"email_bounced": 1})
    [parcel] = world.make(rule(kind="ad", platform="linkedin"))
    assert parcel.file.rows == 4
    world.grant("call")
    assert held(world, CALLS) == {}, "the person refused nothing"


SMS = {"sender": "【某某】", "text": "【某某】新品 拒收请回复R", "opt_out": "拒收请回复R"}
MAIL = {"sender": "某某", "subject": "十月动态", "text": "某某 https://x.cn/u", "opt_out": "https://x.cn/u"}


def test_p14_a_message_without_its_marks_keeps_the_list_here(world: ListWorld) -> None:
    world.grant("email")
    with pytest.raises(BadPolicy, match="广告 or AD"):
        world.make(rule(kind="email", message=MAIL))
    assert files_of(world) == []
    assert world.ledger.read("exports").num_rows == 0
    [parcel] = world.make(rule(kind="email", message=MAIL | {"subject": "[AD] 十月动态"}))
    assert [row["email"] for row in lines_of(parcel.path)] == [address(place) for place in range(1, 6)]


def test_p41_europeans_need_both_consents_of_google_and_one_file_has_one_state(
    world: ListWorld, small_platforms: None
) -> None:
    google = rule(kind="ad", platform="google")
    world.changes |= {1: {"region": "DE"}, 2: {"region": "DE"}, 3: {"region": "US"}, 4: {"region": "US"}}
    world.policy = parse_policy(_with_us_ads(), ConsentPolicy)
    world.say(5, "cross_border", "granted")
    for place in (1, 2, 3, 5):
        world.say(place, "ad", "granted")
    world.say(2, "ad_user_data", "granted")
    assert held(world, google) == {"ad_user_data_not_granted": 1, "ad_personalization_not_granted": 1}
    world.say(2, "ad_personalization", "granted")
    parcels = {parcel.consent: {one.subject for one in parcel.entries} for parcel in world.make(google)}
    assert parcels == {"granted": {"P2", "P3", "P5"}, "unspecified": {"P4"}}
    sheets = [json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) for path in files_of(world)]
    assert [sheet["consent"]["ad_user_data"] for sheet in sheets] == ["GRANTED", "UNSPECIFIED"]


def _with_us_ads() -> str:
    text = (POLICIES / "consent.yaml").read_text(encoding="utf-8")
    first = "  ad:\n    channel: ad\n    rules:\n"
    return text.replace(first, f"{first}      - {{regions: [US], needs: no_refusal, why: test}}\n")


def test_p42_no_hash_of_a_platform_is_kept(world: ListWorld, small_platforms: None) -> None:
    world.grant("ad")
    [parcel] = world.make(TENCENT)
    hashes = {row["value"] for row in lines_of(parcel.path)}
    kept = "".join(str(world.ledger.read(name).to_pylist()) for name in ("exports", "list_members", "audit"))
    assert len(hashes) == 5
    assert not [one for one in hashes if one in kept]
    assert not [place for place in range(1, 6) if number(place)[3:] in kept]


def test_p44_withdrawals_give_a_removal_file_for_every_list_they_stand_on(
    world: ListWorld, small_platforms: None
) -> None:
    second = rule(id="other", kind="ad", platform="tencent", hash="md5")
    world.grant("ad")
    before = {made.id: {row["value"] for row in lines_of(world.make(made)[0].path)} for made in (TENCENT, second)}
    world.say(3, "ad", "withdrawn", LATE)
    for made in (TENCENT, second):
        [parcel] = world.make(made)
        assert parcel.action == "remove"
        [line] = lines_of(parcel.path)
        assert line["value"] in before[made.id]
        sheet = json.loads(parcel.path.with_suffix(".json").read_text(encoding="utf-8"))
        assert sheet["operation_type"] == "REDUCE"
        assert world.standing(made) == {"P1", "P2", "P4", "P5"}
        assert world.make(made) == []


def test_p44_who_left_the_segment_goes_off_an_audience_and_comes_back_once(
    world: ListWorld, small_platforms: None
) -> None:
    world.grant("ad")
    world.make(TENCENT)
    asked = world.rows().slice(0, 4)  # the fifth is as well known as before
    [parcel] = world.make(TENCENT, rows=asked)
    assert [(one.member.person_id, one.reason) for one in parcel.removals] == [("P5", "left")]
    assert [parcel.file.rows for parcel in world.make(TENCENT)] == [1]
    assert world.make(TENCENT) == []


def test_p44_who_is_known_no_more_goes_off_with_the_next_full_list(world: ListWorld, small_platforms: None) -> None:
    world.grant("ad")
    world.make(TENCENT)
    world.people = 4  # the fifth was erased: neither keys nor values are left
    desk = world.desk(TENCENT)
    assert decide(desk).unnameable == 1
    assert world.make(TENCENT) == []
    [parcel] = world.make(TENCENT, asked=Asked("tester", is_full=True))
    assert (parcel.action, parcel.file.rows) == ("replace", 4)
    assert world.standing(TENCENT) == {"P1", "P2", "P3", "P4"}
    assert decide(world.desk(TENCENT)).unnameable == 0


def test_p44_who_is_known_no_more_stays_on_record_until_a_file_takes_the_lists_place(
    world: ListWorld, small_platforms: None
) -> None:
    world.grant("ad")
    world.make(TENCENT)
    world.people = 4
    for place in range(1, 5):
        world.say(place, "ad", "withdrawn", LATE)
    [parcel] = world.make(TENCENT, asked=Asked("tester", is_full=True))
    assert (parcel.action, {one.member.person_id for one in parcel.removals}) == ("remove", {"P1", "P2", "P3", "P4"})
    assert world.standing(TENCENT) == {"P5"}
    assert decide(world.desk(TENCENT)).unnameable == 1


def test_p41_of_two_files_for_a_whole_list_only_the_first_takes_its_place(
    world: ListWorld, small_platforms: None
) -> None:
    google = rule(kind="ad", platform="google")
    world.changes |= {1: {"region": "US"}, 2: {"region": "US"}}
    world.policy = parse_policy(_with_us_ads(), ConsentPolicy)
    world.say(1, "ad", "granted")
    parcels = world.make(google, asked=Asked("tester", is_full=True))
    assert [(one.action, one.consent) for one in parcels] == [("replace", "granted"), ("add", "unspecified")]
    assert world.standing(google) == {"P1", "P2"}


def test_p45_a_file_is_deleted_once_the_platform_has_it(world: ListWorld, small_platforms: None) -> None:
    world.grant("ad")
    [parcel] = world.make(TENCENT)
    confirm_upload(world.ledger, world.root, parcel.export_id[:8], Asked("tester"), world.by)
    assert files_of(world) == []
    assert len(world.standing(TENCENT)) == 5
    with pytest.raises(BadUsage, match="uploaded"):
        confirm_upload(world.ledger, world.root, parcel.export_id, Asked("tester"), world.by)


def test_a_call_list_that_has_run_out_is_deleted(world: ListWorld) -> None:
    world.grant("call")
    world.make(CALLS)
    world.at += timedelta(days=2)
    settle_exports(world.ledger, world.root, world.at.replace(tzinfo=None), world.by)
    assert files_of(world) == []
    assert world.standing(CALLS) == set()


def test_too_small_a_list_is_not_handed_over_but_removals_are(world: ListWorld, small_platforms: None) -> None:
    world.grant("ad")
    world.make(TENCENT)
    larger = TENCENT.model_copy(update={"minimum": 5})
    world.people = 6
    world.say(6, "ad", "granted")
    for place in (1, 2, 3):
        world.say(place, "ad", "withdrawn", LATE)
    assert [parcel.action for parcel in world.make(larger)] == ["remove"]
    assert world.standing(TENCENT) == {"P4", "P5"}


def test_a_platforms_own_minimum_holds(world: ListWorld) -> None:
    world.grant("ad", "cross_border")
    assert world.make(rule(kind="ad", platform="linkedin")) == []
    desk = world.desk(rule(kind="ad", platform="linkedin"))
    with world.ledger.transaction() as connection:
        desk.gate.refresh(connection)
    assert decide(desk).is_too_small


def test_every_export_is_a_line_of_the_audit_log(world: ListWorld) -> None:
    world.grant("call")
    [parcel] = world.make(CALLS, asked=Asked("anna", "autumn round"))
    [line] = world.ledger.read("audit").to_pylist()
    told = json.loads(line["detail"])
    assert (line["actor"], line["action"], line["object"]) == ("anna", "export", parcel.export_id)
    assert (told["reason"], told["rows"], told["allowed_by"]) == ("autumn round", 5, {"call": 5})
    members = world.ledger.read("list_members").to_pylist()
    assert all(row["evidence"].startswith("call: ") for row in members)
    known = set(world.ledger.read("consents")["event_id"].to_pylist())
    assert {row["evidence"].removeprefix("call: ") for row in members} <= known


COMPANIES = pa.Table.from_pylist(
    [
        {"account_id": f"A{n}", "hold": None, "name": f"甲{n}", "name_en": None, "uscc": f"9131{n}",
         "domain": f"a{n}.cn", "industry": "机械", "city": None, "province": None, "country": "CN"}
        for n in range(3)
    ],
    schema=pa.schema([(name, pa.string()) for name in ("account_id", "hold", "name", "name_en", "uscc", "domain",
                                                       "industry", "city", "province", "country")]),
)  # fmt: skip


def test_p18_a_company_that_wants_to_be_left_alone_is_on_no_list_of_companies(
    world: ListWorld, small_platforms: None
) -> None:
    from tasks.outbound.consent.suppress import Why, suppress_all

    made = rule(kind="company", platform="linkedin")
    suppress_all(world.ledger, world.root, [("domain", "a1.cn")], Why("asked by letter"), world.by)
    more: dict[str, Any] = {"rows": COMPANIES, "companies": COMPANIES, "faults": {}}
    [parcel] = world.make(made, **more)
    assert [row["companyname"] for row in lines_of(parcel.path)] == ["甲0", "甲2"]
    assert "@" not in parcel.path.read_text(encoding="utf-8")


def test_x06_a_run_that_was_overtaken_makes_no_list(world: ListWorld) -> None:
    world.grant("call")
    stale = world.new_run()
    world.new_run()
    with pytest.raises(Busy):
        world.make(CALLS, run=stale)
    assert files_of(world) == []
    assert world.ledger.read("list_members").num_rows == 0


def test_two_runs_on_one_day_hand_nobody_over_twice(world: ListWorld) -> None:
    world.grant("call")
    assert [parcel.file.rows for parcel in world.make(CALLS)] == [5]
    assert world.make(CALLS) == []


def test_a_list_too_large_for_its_platform_is_refused_before_anything_is_written(
    world: ListWorld, small_platforms: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(platforms()["tencent"].__dict__, "maximum", 4)
    world.grant("ad")
    with pytest.raises(BadUsage, match="takes 4 in one file"):
        world.make(TENCENT)
    assert world.ledger.read("exports").num_rows == 0


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"kind": "ad"}, "platform: needed"),
        ({"kind": "call", "platform": "google"}, "platform: not for"),
        ({"kind": "company", "platform": "google"}, "only linkedin"),
        ({"kind": "ad", "platform": "google", "hash": "md5"}, "only tencent takes md5"),
        ({"kind": "email"}, "message: needed"),
        ({"kind": "ad", "platform": "google", "handler": {"name": "x"}}, "handler: not for"),
    ],
)
def test_a_rule_that_makes_no_sense_is_told(said: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        rule(**said)


def test_the_shipped_rules_can_be_read() -> None:
    assert read_policy(POLICIES / "audiences.yaml", AudiencesPolicy).lists
    assert consent_policy().contact_hours["call"][0].regions == ("CN",)
