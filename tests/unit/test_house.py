"""Rules of the house that no other tool asks."""

import importlib.util
import sys
from pathlib import Path

import pytest

from warehouse.document import TARGET, data_model
from warehouse.models import FOLDER, all_models

ROOT = Path(__file__).parent.parent.parent


def test_no_flow_file_bears_the_name_of_a_module() -> None:
    """Prefect puts flows/ first on the path: such a file would hide the module from everybody."""
    for path in (ROOT / "flows").glob("*.py"):
        if path.stem.startswith("__"):
            continue
        assert path.stem not in sys.stdlib_module_names
        assert importlib.util.find_spec(path.stem) is None, f"flows/{path.name} hides the module {path.stem}"
        assert not (ROOT / path.stem).is_dir()


def test_every_model_reads_only_to_its_left() -> None:
    assert len(all_models()) == len(list(FOLDER.glob("*/*.sql"))), "loading them checks zones and circles"


def test_the_data_model_page_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == data_model(), "run `make docs`"


def test_the_sql_runner_stays_small() -> None:
    assert (ROOT / "warehouse" / "models.py").read_text(encoding="utf-8").count("\n") < 200


@pytest.mark.parametrize("file", ["requirements.txt", "requirements.in", "pyproject.toml"])
def test_no_registry_host_is_written_down(file: str) -> None:
    assert "://" not in (ROOT / file).read_text(encoding="utf-8")


def test_s08_nothing_is_unpickled_or_evaluated() -> None:
    """Nothing from outside is unpickled, evaluated or loaded by an unsafe YAML loader. Source: spec S08."""
    forbidden = ("import pickle", "import marshal", "import joblib", "cloudpickle", "yaml.load(", "allow_pickle=True")
    for folder in ("abmloop", "cli", "flows", "scoring", "tasks", "warehouse"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.name == "yaml_text.py":
                continue
            text = path.read_text(encoding="utf-8")
            assert not [word for word in forbidden if word in text], path
