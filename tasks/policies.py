"""The rules a run goes by: read once at its start, kept in the ledger, the same for every step of the run."""

import hashlib
import json
from pathlib import Path

from abmloop.errors import BadPolicy
from abmloop.policy import PolicyT, parse_policy
from abmloop.run import Run
from abmloop.settings import CONFIG_FILES, load_settings
from warehouse.ledger import Ledger

DEFAULTS = Path(__file__).parent.parent / "scoring" / "policies"


def read_config(root: Path) -> dict[str, str]:
    """File name → text of every rules file: the workspace's `config/` where it is there, else the default."""
    texts: dict[str, str] = {}
    for name in CONFIG_FILES:
        for folder in (root / "config", DEFAULTS):
            path = folder / name
            if path.is_file():
                try:
                    texts[name] = path.read_text(encoding="utf-8")
                except UnicodeDecodeError as error:
                    raise BadPolicy(f"{name}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
                break
    return texts


def save_config(root: Path, ledger: Ledger) -> str:
    """Keep the rules' text in the ledger; gives its hash."""
    text = json.dumps(read_config(root), ensure_ascii=False, sort_keys=True)
    config_hash = hashlib.sha256(text.encode()).hexdigest()[:16]
    ledger.save_config(config_hash, text)
    return config_hash


def load_policy(run: Run, cls: type[PolicyT]) -> PolicyT:
    """The policy as it stood when the run began. Raises BadPolicy with all faults of its file."""
    with Ledger.of(run.root, load_settings(run.root).ledger_url) as ledger:
        texts = json.loads(ledger.config(run.config_hash))
    return parse_policy(texts.get(cls.file_name, "{}"), cls)
