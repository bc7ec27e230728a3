"""What the code itself says, as a hash: what was made by other code is made anew."""

import hashlib
from functools import cache
from pathlib import Path

from warehouse.models import models_by_name

_ROOT = Path(__file__).parent.parent


@cache
def code_hash(zone: str, *places: str) -> str:
    """A hash of a zone's SQL models and of these files, and all in these folders, given from the project's root."""
    found = [path for place in places for path in (_ROOT / place, *(_ROOT / place).rglob("*"))]
    files = {path for path in found if path.is_file()}
    texts = [path.read_bytes() for path in sorted(files) if "__pycache__" not in path.parts]
    models = [model.sql.encode() for name, model in sorted(models_by_name().items()) if model.zone == zone]
    return hashlib.sha256(b"\0".join(texts + models)).hexdigest()
