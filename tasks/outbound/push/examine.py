"""What stands between us and the CRM: address, credentials, account, fields that have to be made there, limits."""

from pathlib import Path

from abmloop.errors import AbmError, BadUsage
from abmloop.messages import say, tell
from abmloop.policy import parse_policy
from abmloop.settings import load_settings
from scoring.policies.crm import CrmPolicy
from tasks.outbound.crm.base import Connector, Description
from tasks.outbound.crm.connectors import open_connector
from tasks.outbound.crm.mapping import has_mapping, in_their_words, load_mapping
from tasks.outbound.crm.network import NetworkConnector
from tasks.policies import read_config
from tasks.runs import make_person

Rows = list[dict[str, str]]


def crm_rows(root: Path) -> Rows:
    """One row per thing asked of the CRM: `asked`, `state` (ok, warn, bad), `found`, `what to do`. Writes nothing."""
    language = load_settings(root).language
    policy = in_their_words(parse_policy(read_config(root)[CrmPolicy.file_name], CrmPolicy))
    try:
        connector = open_connector(root, policy, make_person(root, "doctor").as_of)
    except BadUsage as error:
        return [_row("crm credentials", "bad", error.told(language), say("crm_doctor_credentials", language))]
    try:
        says = connector.describe()
    except AbmError as error:
        return [_row("crm", "bad", error.told(language), say("crm_doctor_unreachable", language))]
    return [
        *_account(policy, says, language),
        *_objects(policy, says, language),
        *pulled_rows(connector, says, language),
        *_limits(connector, says, language),
    ]


def _account(policy: CrmPolicy, says: Description, language: str) -> Rows:
    is_ours = says.instance == policy.instance
    hint = "" if is_ours else say("crm_doctor_instance", language, there=says.instance, ours=policy.instance)
    rows = [_row("crm account", "ok" if is_ours else "bad", says.instance, hint)]
    return rows + [_row("crm note", "warn", tell(note, language)) for note in says.notes]


def _objects(policy: CrmPolicy, says: Description, language: str) -> Rows:
    """Per object whether all fields that leave are there, our key first."""
    rows = []
    for name, rule in policy.objects.items():
        there = says.fields.get(name)
        if there is None:
            rows.append(_row(f"crm {name}", "ok", say("crm_doctor_unknown_fields", language)))
            continue
        key = load_mapping(policy.connector).objects[name].key if has_mapping(policy.connector) else policy.key_field
        kinds = {key: say("crm_doctor_key_field", language), **rule.types}
        missing = [field for field in kinds if field not in there]
        if missing:
            made = ", ".join(f"{field} ({kinds[field]})" for field in missing)
            hint = say("crm_doctor_make_fields", language)
            rows.append(_row(f"crm {name}", "bad", say("crm_doctor_missing", language, fields=made), hint))
        else:
            rows.append(_row(f"crm {name}", "ok", say("crm_doctor_fields", language, number=len(kinds))))
    return rows


def pulled_rows(connector: Connector, says: Description, language: str) -> Rows:
    """Per input entity whether the CRM tells what changed in it, and what to do where it does not."""
    rows = []
    for entity, silence in says.pulls.items():
        why = silence or (connector.closed(entity, language) if isinstance(connector, NetworkConnector) else "")
        asked, hint = f"crm pull {entity}", say("crm_doctor_drop_files", language, entity=entity)
        told = say("crm_doctor_not_pulled", language, why=why) if why else say("crm_doctor_pulled", language)
        rows.append(_row(asked, "warn" if why and not silence else "ok", told, hint if why else ""))
    return rows


def _limits(connector: Connector, says: Description, language: str) -> Rows:
    left = connector.calls_left()
    told = say("crm_doctor_batch", language, size=says.bulk_size or says.batch_size, identity=says.identity)
    rows = [_row("crm batches", "ok", told)]
    if left is not None:
        rows.append(_row("crm calls", "ok" if left > 0 else "warn", say("crm_doctor_calls", language, number=left)))
    return rows


def _row(asked: str, state: str, found: str, what_to_do: str = "") -> dict[str, str]:
    return {"asked": asked, "state": state, "found": found, "what to do": what_to_do}
