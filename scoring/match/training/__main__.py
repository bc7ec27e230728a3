"""Train the judge that ships.

usage: python -m scoring.match.training DATA [OUT]

DATA is a folder with gleif_200k.parquet (name) and real_pairs.parquet (variant, eid, enorm, kind); OUT the folder for
trees.txt and card.json, by default that of the model that ships. Same data, same result.
"""

import json
import sys
from importlib.resources import files
from pathlib import Path

from scoring.match.model import SHIPPED
from scoring.match.training.learn import read_names, train


def main() -> None:
    """Train and write."""
    out = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(str(files("scoring.models") / SHIPPED))
    trees, card = train(read_names(Path(sys.argv[1])))
    out.mkdir(parents=True, exist_ok=True)
    (out / "trees.txt").write_text(trees, encoding="utf-8")
    (out / "card.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(card["figures"], ensure_ascii=False))


if __name__ == "__main__":
    main()
