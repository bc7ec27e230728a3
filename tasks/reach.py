"""The rules by which behaviour events become touches, as the tables that the models of staging join."""

import pyarrow as pa

from scoring.policies.reach import ReachPolicy
from warehouse.steps import Work

Row = dict[str, str | None]
# The models that read all behaviour events.
EVENT_MODELS = frozenset({"event_times", "visitor_logins", "event_facts", "event_touches", "event_counts"})


def load_reach(work: Work, policy: ReachPolicy) -> None:
    """Put the policy into rules.reach, rules.event_types, rules.bot_words and rules.campaign_aliases."""
    visitors = policy.visitors
    work.replace(
        "rules.reach",
        pa.Table.from_pylist(
            [
                {
                    "session_minutes": visitors.session_minutes,
                    "is_one_device": visitors.devices_per_login == "one",
                    "events_per_minute": policy.bots.events_per_minute,
                    "other_roll_up": policy.other_events,
                }
            ]
        ),
    )
    types: list[Row] = [
        {"event": event.lower(), "type": each.type.lower(), "roll_up": each.roll_up}
        for each in policy.types
        for event in each.events
    ]
    types += [{"event": event.lower(), "type": None, "roll_up": "ignore"} for event in policy.ignore]
    work.replace("rules.event_types", _table(types, ("event", "type", "roll_up")))
    words: list[Row] = [{"word": word.lower()} for word in policy.bots.user_agents]
    work.replace("rules.bot_words", _table(words, ("word",)))
    aliases: list[Row] = [
        {"alias": alias.strip().lower(), "campaign_id": campaign}
        for campaign, names in policy.campaigns.items()
        for alias in names
    ]
    work.replace("rules.campaign_aliases", _table(aliases, ("alias", "campaign_id")))


def _table(rows: list[Row], names: tuple[str, ...]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in names]))
