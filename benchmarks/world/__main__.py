"""`python -m benchmarks.world --out DIR [--scale small|demo] [--companies N …] [--seed 7]`"""

import argparse
from dataclasses import fields, replace
from pathlib import Path

from . import AS_OF, DEMO, SMALL, write_world


def main() -> None:
    """Write a world of the wanted size and say what to do with it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.world", description="Write a sample world: inbox/ and truth/."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument(
        "--scale", choices=["small", "demo"], default="demo", help="size where nothing else is said (default: demo)"
    )
    for field in fields(DEMO):
        parser.add_argument(f"--{field.name}", type=int, default=None, help=f"demo: {getattr(DEMO, field.name)}")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    preset = {"small": SMALL, "demo": DEMO}[asked.scale]
    given = {field.name: getattr(asked, field.name) for field in fields(DEMO) if getattr(asked, field.name) is not None}
    write_world(asked.out, replace(preset, **given), asked.seed)
    print(f"Wrote {asked.out / 'inbox'} and {asked.out / 'truth'}.")
    print(f"Next: abmloop sync --workspace {asked.out} --as-of {AS_OF}")


if __name__ == "__main__":
    main()
