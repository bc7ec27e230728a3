"""The rules a run goes by: read once at its start, kept in the ledger, the same for every step of the run."""

import hashlib
import json
from pathlib import Path

from abmloop.errors import BadPolicy
from abmloop.messages import Together, said, together
from abmloop.policy import Policy, PolicyT, parse_policy
from abmloop.run import Run
from abmloop.settings import load_settings
from scoring.policies.attribution import AttributionPolicy
from scoring.policies.audiences import AudiencesPolicy
from scoring.policies.consent import ConsentPolicy
from scoring.policies.crm import CrmPolicy
from scoring.policies.directory import DirectoryPolicy
from scoring.policies.icp import IcpPolicy
from scoring.policies.match import MatchPolicy
from scoring.policies.predict import PredictPolicy
from scoring.policies.reach import ReachPolicy
from scoring.policies.routing import RoutingPolicy
from scoring.policies.scoring import ScoringPolicy
from scoring.policies.sources import SourcesPolicy
from scoring.policies.tags import TagsPolicy
from warehouse.ledger import Ledger

DEFAULTS = Path(__file__).parent.parent / "scoring" / "policies"
_CLASSES: tuple[type[Policy], ...] = (
    SourcesPolicy,
    ReachPolicy,
    DirectoryPolicy,
    IcpPolicy,
    TagsPolicy,
    MatchPolicy,
    ScoringPolicy,
    PredictPolicy,
    RoutingPolicy,
    AttributionPolicy,
    CrmPolicy,
    ConsentPolicy,
    AudiencesPolicy,
)
# Every rules file by its name in the user's `config/`.
POLICIES: dict[str, type[Policy]] = {cls.file_name: cls for cls in _CLASSES}


def read_config(root: Path) -> dict[str, str]:
    """File name → text of every rules file: the workspace's `config/` where it is there, else the default."""
    return read_rules(root / "config")


def read_rules(config: Path) -> dict[str, str]:
    """File name → text of every rules file: the one in the folder `config` where it is there, else the default."""
    texts: dict[str, str] = {}
    for name in POLICIES:
        for folder in (config, DEFAULTS):
            path = folder / name
            if path.is_file():
                try:
                    texts[name] = path.read_text(encoding="utf-8")
                except UnicodeDecodeError as error:
                    raise BadPolicy(said("policy_not_utf_8", file=name, byte=error.start)) from error
                break
    return texts


def config_faults(texts: dict[str, str]) -> list[str]:
    """Every fault of every rules file, `file:line: key: what`; empty where all are readable."""
    faults: list[str] = []
    for name, text in texts.items():
        try:
            parse_policy(text, POLICIES[name])
        except BadPolicy as error:
            faults += error.message.parts if isinstance(error.message, Together) else [error.message]
    return faults


def save_config(root: Path, ledger: Ledger) -> str:
    """Keep the rules' text in the ledger; gives its hash. Raises BadPolicy with the faults of all files at once."""
    texts = read_config(root)
    faults = config_faults(texts)
    if faults:
        raise BadPolicy(together(faults))
    text = json.dumps(texts, ensure_ascii=False, sort_keys=True)
    config_hash = hashlib.sha256(text.encode()).hexdigest()[:16]
    ledger.save_config(config_hash, text)
    return config_hash


def load_policy(run: Run, cls: type[PolicyT]) -> PolicyT:
    """The policy as it stood when the run began. Raises BadPolicy with all faults of its file."""
    with Ledger.of(run.root, load_settings(run.root).ledger_url) as ledger:
        texts = json.loads(ledger.config(run.config_hash))
    return parse_policy(texts.get(cls.file_name, "{}"), cls)


def workspace_policy(root: Path, cls: type[PolicyT]) -> PolicyT:
    """The policy as it stands in the workspace now. Raises BadPolicy with all faults of its file."""
    return parse_policy(read_config(root).get(cls.file_name, "{}"), cls)
