"""Learning from the workspace's own history: whether an MQL becomes an SQL, and whether it is won."""

import shutil
from datetime import date
from pathlib import Path

import duckdb

from abmloop.errors import BadUsage
from abmloop.messages import said, say
from abmloop.policy import parse_policy
from abmloop.run import Author
from scoring.policies.predict import PredictPolicy, TargetName
from scoring.predict.model import PredictModel, load_model
from scoring.predict.train import Asked, train
from tasks.policies import read_config
from tasks.predict.history import GROUP, TIME, read_mqls, table_for
from tasks.predict.tables import write_model
from tasks.predict.versions import follows_rule, in_use, model_folder, new_name, promote
from warehouse.database import connect_to_look
from warehouse.ledger import Ledger

RULE_ACTOR = "abmloop"


def train_workspace(
    root: Path, ledger: Ledger, by: Author, target: str, language: str
) -> tuple[str, PredictModel, bool]:
    """Learn from the history as of the last run; gives the version's name, the model, and whether it is used now.

    The version is kept whatever came of it, with its report, and used from the next run on where the written rule says
    so (predict.yaml, promotion). Raises BadUsage for a target that predict.yaml does not name, or before the first run.
    """
    policy = parse_policy(read_config(root)[PredictPolicy.file_name], PredictPolicy)
    if target not in policy.targets:
        raise BadUsage(said("predict.no_target", target=target, known=", ".join(policy.targets) or "-"))
    named: TargetName = "won" if target == "won" else "sql"
    days = policy.targets[named].days
    with connect_to_look(root) as con:
        day = _score_day(con)
        if day is None:
            raise BadUsage(said("predict.no_run"))
        table = table_for(read_mqls(con), named, days, day)
    model = train(table, Asked(target, time=TIME, id_column=GROUP, came="1", ripe_days=days), policy)
    name = new_name(root, target)
    folder = model_folder(root, name)
    try:
        write_model(model, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    current = in_use(ledger.read("decisions")).get(target)
    before = load_model(model_folder(root, current)) if current and model_folder(root, current).is_dir() else None
    is_promoted = policy.promotion.unasked and follows_rule(model, before, policy.promotion)
    if is_promoted:
        promote(root, ledger, by, name, (RULE_ACTOR, say("predict.by_rule", language)))
    return name, model, is_promoted


def _score_day(con: duckdb.DuckDBPyConnection) -> date | None:
    """The day for which the workspace was scored last; None before the first run of this version."""
    made = {
        row[0] for row in con.execute("select view_name from duckdb_views() where schema_name = 'scored'").fetchall()
    }
    if "mqls" not in made:
        return None
    days = con.execute("select as_of from scored.score_day").fetchall()
    return days[0][0] if days else None
