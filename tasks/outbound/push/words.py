"""Why a lead is worth a call, in the workspace's language, and as long as the CRM's field takes it."""

import pyarrow as pa

from abmloop.messages import named, say
from scoring.values.lengths import cut_sentences, cut_text

# Columns that explain; where one is cut it says where the rest is to be read. Names and addresses are just cut.
EXPLAINING = frozenset(
    {
        "description", "score_reason", "stage_reason", "abm_stage_reason", "assignment_reason", "match_evidence",
        "talk_track", "content", "next_steps",
    }
)  # fmt: skip
# Below so many characters a hint at the rest would take the place of what is explained.
_LEAST_FOR_HINT = 120


def in_words(table: pa.Table, language: str) -> pa.Table:
    """The table of leads or tasks with the names of rules and touch types in its columns that explain."""
    for column, tell in (("score_reason", tell_score), ("last_touch", tell_touch)):
        if column in table.column_names:
            told = [value and tell(value, language) for value in table[column].to_pylist()]
            table = _with(table, column, told)
    for column in ("stage_reason", "abm_stage_reason"):
        if column in table.column_names and "stage_rule" in table.column_names:
            pairs = zip(table[column].to_pylist(), table["stage_rule"].to_pylist(), strict=True)
            table = _with(table, column, [_tell_stage(reason, rule, language) for reason, rule in pairs])
    return table


def _with(table: pa.Table, column: str, values: list[str | None]) -> pa.Table:
    return table.set_column(table.column_names.index(column), column, pa.array(values, pa.string()))


def _tell_stage(reason: str | None, rule: str | None, language: str) -> str | None:
    if not reason or not rule:
        return reason
    said = named("stage_rule", rule, language)
    return reason if reason == said else f"{said}{'：' if language == 'zh' else ': '}{reason}"


def tell_touch(touch: str, language: str) -> str:
    """A touch as marts.crm_tasks writes it (day, type, campaign), its type by its name."""
    day, _, rest = touch.partition(", ")
    kind, comma, campaign = rest.partition(", ")
    return f"{day}, {named('touch_type', kind, language)}{comma}{campaign}"


def tell_score(reason: str, language: str) -> str:
    """The lines of a score by the names of their rules; a rule of the user's own keeps its id."""
    lines = []
    for line in reason.split("; "):
        rule, blank, rest = line.partition(" +")
        lines.append(f"{named('score_rule', rule, language)} +{rest}" if blank else line)
    return ("；" if language == "zh" else "; ").join(lines)


def fitting(column: str, text: str, limits: tuple[int | None, int | None], lead: str, language: str) -> str:
    """A text as long as the CRM's field takes: what explains is cut after a sentence and says where the rest is."""
    characters, size = limits
    smallest = min(limit for limit in (characters, size, 1_000_000) if limit is not None)
    if column not in EXPLAINING or smallest < _LEAST_FOR_HINT:
        return cut_text(text, characters, size)
    return cut_sentences(text, characters, size, say("crm_rest", language, lead=lead))
