"""The gate: the latest word counts, doubt is a refusal, and one channel never speaks for another."""

from datetime import datetime
from itertools import permutations
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abmloop.errors import BadPolicy, BadUsage
from abmloop.policy import parse_policy, read_policy
from abmloop.run import Person
from scoring.policies.consent import ConsentPolicy
from tasks.outbound.consent.gate import ConsentEvent, Gate, PersonKeys, Subject
from tasks.outbound.consent.suppress import suppress, suppression_hash
from tests.contract.world import POLICIES, consent_policy
from warehouse.ledger import Ledger
from warehouse.secret import make_secret, read_secret

AT = datetime(2026, 10, 31)
EARLY, LATE = datetime(2026, 3, 1), datetime(2026, 9, 1)
KEYS = pa.table(
    {
        "key_kind": ["mobile", "email", "mobile", "phone"],
        "key_value": ["+8613800000001", "a@x.cn", "+8613800000002", "+8613800000002"],
        "person_id": ["P1", "P1", "P2", "P3"],
    }
)


def gate(
    *events: tuple[str, str, datetime | None], crm_region: str = "CN", policy: ConsentPolicy | None = None
) -> Gate:
    """A gate over what P1 said: (channel, status, given_at)."""
    made = Gate(policy or consent_policy(), AT, PersonKeys(KEYS, lambda: b"secret"), crm_region)
    for number, (channel, status, given_at) in enumerate(events):
        made.standing.add(ConsentEvent("P1", channel, status, given_at, f"e{number}"), AT)
    return made


def word(made: Gate, **more: bool) -> str:
    return made.judge_subject(Subject("P1", "CN", **more)).state


def test_a_lead_needs_no_grant_but_is_stopped_by_a_refusal() -> None:
    assert word(gate()) == "allowed"
    assert word(gate(("crm_share", "refused", EARLY))) == "refused"
    assert word(gate(("any", "withdrawn", EARLY))) == "refused"


def test_refusing_one_channel_does_not_refuse_another() -> None:
    assert word(gate(("email", "refused", EARLY), ("call", "withdrawn", LATE))) == "allowed"


def test_the_latest_word_counts_in_whatever_order_it_comes() -> None:
    events = [("crm_share", "granted", EARLY), ("crm_share", "withdrawn", LATE), ("any", "refused", EARLY)]
    assert {word(gate(*order)) for order in permutations(events)} == {"refused"}
    assert word(gate(("any", "refused", EARLY), ("crm_share", "granted", LATE))) == "allowed"


def test_doubt_is_a_refusal() -> None:
    assert word(gate(("crm_share", "granted", LATE), ("crm_share", "refused", LATE))) == "refused"
    assert word(gate(("crm_share", "refused", None), ("crm_share", "granted", LATE))) == "refused"
    assert word(gate(("crm_share", "maybe", EARLY), ("crm_share", "granted", LATE))) == "refused"


def test_a_grant_without_date_of_the_future_or_for_everything_proves_nothing() -> None:
    for event in (("call", "granted", None), ("call", "granted", datetime(2027, 1, 1)), ("any", "granted", EARLY)):
        assert gate(event).judge("call", "P1", "CN").state == "not_granted"


def test_a_call_needs_a_grant_in_mainland_china_and_where_the_country_is_unknown() -> None:
    assert gate().judge("call", "P1", "CN").state == "not_granted"
    assert gate().judge("call", "P1", None).state == "not_granted"
    assert gate().judge("call", "P1", "US").is_allowed
    assert gate(("call", "granted", EARLY)).judge("call", "P1", "CN").evidence == "e0"
    assert word(gate(), asks_to_call=True) == "call_not_granted"


def with_term(channel: str, days: int) -> ConsentPolicy:
    """The shipped rules, but a grant of that channel runs out."""
    text = (POLICIES / "consent.yaml").read_text(encoding="utf-8")
    said = f"channel: {channel}\n"
    assert said in text
    return parse_policy(text.replace(said, f"{said}    grant_valid_days: {days}\n"), ConsentPolicy)


def test_an_expired_grant_is_no_grant() -> None:
    made = gate(("call", "granted", EARLY), policy=with_term("call", 90))
    assert made.judge("call", "P1", "CN").state == "not_granted"


@pytest.mark.parametrize("refused", [("email", "withdrawn", datetime(2024, 1, 1)), ("any", "refused", EARLY)])
def test_p08_a_grant_that_ran_out_does_not_silence_the_refusal_before_it(refused: tuple[str, str, datetime]) -> None:
    granted = ("email", "granted", datetime(2026, 4, 1))
    assert gate(refused, granted, policy=with_term("email", 365)).judge("email", "P1", "US").evidence == "e1"
    assert gate(granted, policy=with_term("email", 90)).judge("email", "P1", "US").is_allowed, "control: none refused"
    found = gate(refused, granted, policy=with_term("email", 90)).judge("email", "P1", "US")
    assert (found.state, found.evidence) == ("refused", "e0")
    assert found == gate(refused, policy=with_term("email", 90)).judge("email", "P1", "US"), "as when its proof is gone"


def test_a_crm_abroad_needs_a_grant_or_a_mechanism_for_people_of_the_mainland() -> None:
    assert word(gate(crm_region="US")) == "cross_border_not_granted"
    assert word(gate(("cross_border", "granted", EARLY), crm_region="US")) == "allowed"
    text = (
        (POLICIES / "consent.yaml").read_text(encoding="utf-8").replace("mechanism: null", "mechanism: contract 2026-1")
    )
    on_record = gate(crm_region="US", policy=parse_policy(text, ConsentPolicy))
    assert word(on_record) == "allowed"
    assert gate(crm_region="US").judge_subject(Subject("P1", "DE")).is_allowed


def test_somebody_without_keys_cannot_be_judged_and_stays() -> None:
    assert gate().judge_subject(Subject("P9", "CN")).state == "unknown_person"


def test_a_company_passes() -> None:
    assert gate().judge_subject(Subject(None)).is_allowed


def test_a_refusal_on_any_key_holds_for_the_person_and_for_all_who_share_it(tmp_path: Path) -> None:
    by = Person("person:test", AT.date())
    row = {"key_kind": "phone", "key_value": "+8613800000002", "channel": "any", "status": "refused", "given_at": EARLY}
    with Ledger.of(tmp_path) as ledger:
        ledger.append("consents", [{"event_id": "e", **row}], by)
        made = gate()
        with ledger.transaction() as connection:
            made.refresh(connection)
    states = [made.judge_subject(Subject(person, "CN")).state for person in ("P1", "P2", "P3")]
    assert states == ["allowed", "refused", "refused"]


def test_p15_the_suppression_list_holds_keyed_hashes_only_and_outranks_a_grant(tmp_path: Path) -> None:
    by = Person("person:test", AT.date())
    with Ledger.of(tmp_path) as ledger:
        suppress(ledger, tmp_path, ("email", "a@x.cn"), "objected by letter", by)
        assert suppress(ledger, tmp_path, ("email", "a@x.cn"), "again", by)
        rows = ledger.read("suppressions").to_pylist()
        made = Gate(consent_policy(), AT, PersonKeys(KEYS, lambda: read_secret(tmp_path, {})))
        made.standing.add(ConsentEvent("P1", "crm_share", "granted", LATE, "e"), AT)
        with ledger.transaction() as connection:
            made.refresh(connection)
    assert len(rows) == 1
    assert "a@x.cn" not in str(rows)
    assert word(made) == "suppressed"


def test_without_its_key_the_suppression_list_stops_everything(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match=r"cannot be read without its key.*Nothing was sent"):
        read_secret(tmp_path, {})


def test_s28_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    make_secret(tmp_path, {})
    assert read_secret(tmp_path, {}) == make_secret(tmp_path, {})
    (tmp_path / "ledger" / "suppression.key").chmod(0o644)
    with pytest.raises(BadUsage, match="chmod 600"):
        read_secret(tmp_path, {})


def test_another_secret_gives_another_hash() -> None:
    assert suppression_hash(b"a", "+8613800000001") != suppression_hash(b"b", "+8613800000001")


events = st.tuples(
    st.sampled_from(["crm_share", "any", "call"]),
    st.sampled_from(["granted", "refused", "withdrawn", "?"]),
    st.one_of(st.none(), st.sampled_from([EARLY, LATE])),
)


@given(st.lists(events, max_size=6), st.randoms())
def test_the_fold_does_not_depend_on_the_order_of_events(
    said: list[tuple[str, str, datetime | None]], random: object
) -> None:
    shuffled = list(said)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert word(gate(*said)) == word(gate(*shuffled))


@given(st.lists(events, max_size=6))
def test_r14_one_more_refusal_never_opens_the_gate(said: list[tuple[str, str, datetime | None]]) -> None:
    before = word(gate(*said))
    after = word(gate(*said, ("any", "refused", LATE)))
    assert not (before != "allowed" and after == "allowed")


def test_a_consent_file_names_line_and_key_of_its_fault() -> None:
    text = "purposes:\n  crm_lead:\n    channel: fax\n    rules:\n      - {regions: [CN], needs: grant, why: x}\n"
    with pytest.raises(BadPolicy) as error:
        parse_policy(text, ConsentPolicy)
    assert "consent.yaml:3: purposes.crm_lead.channel" in str(error.value)


def test_the_shipped_rules_can_be_read() -> None:
    assert read_policy(POLICIES / "consent.yaml", ConsentPolicy).purposes["call"].rules[0].needs == "grant"


def test_p09_of_several_regions_the_strictest_rule_holds() -> None:
    assert gate().judge("call", "P1", "US").is_allowed, "control: alone, the mild rule"
    assert gate().judge("call", "P1", "US+CN").state == "not_granted"
    assert gate().judge("call", "P1", "US+SG").is_allowed
    assert gate(("call", "granted", EARLY)).judge("call", "P1", "US+CN").is_allowed


def test_p09_whoever_may_be_on_the_mainland_is_sent_abroad_only_with_their_word() -> None:
    abroad = gate(crm_region="US")
    assert abroad.judge_subject(Subject("P1", "DE")).is_allowed
    assert abroad.judge_subject(Subject("P1", "DE+CN")).state == "cross_border_not_granted"
    asked = gate(("cross_border", "granted", EARLY), crm_region="US")
    assert asked.judge_subject(Subject("P1", "DE+CN")).is_allowed


def test_p36_a_lead_that_crosses_the_border_names_the_evidence_for_each_thing_it_was_asked() -> None:
    asked = gate(("cross_border", "granted", EARLY), ("call", "granted", EARLY), crm_region="US")
    found = asked.judge_subject(Subject("P1", "CN", asks_to_call=True))
    assert str(found) == "allowed (no refusal; cross_border: e0; call: e1)"
    assert str(gate().judge_subject(Subject("P1", "CN"))) == "allowed (no refusal)"
