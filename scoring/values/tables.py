"""The word tables beside the parsers (data/*.yaml, data/*.csv), read once."""

import csv
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

from abmloop import yaml_text

FOLDER = Path(__file__).parent / "data"


@cache
def load_yaml(name: str) -> dict[str, Any]:
    """What data/<name>.yaml says."""
    return dict(yaml_text.load_yaml((FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))


def load_csv(name: str) -> list[dict[str, str]]:
    """The rows of data/<name>.csv."""
    return list(csv.DictReader(StringIO((FOLDER / f"{name}.csv").read_text(encoding="utf-8"))))
