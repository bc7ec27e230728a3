"""docs/data-model.md, written from declarations and headers of the SQL models: `python -m warehouse.document`."""

from pathlib import Path

from warehouse.models import all_models
from warehouse.tables import SCHEMAS, declared_tables

TARGET = Path(__file__).parent.parent / "docs" / "data-model.md"
_HEAD = """# Data model

Written by `make docs` from `warehouse/tables/*.yaml` and the headers of `warehouse/models/**/*.sql`; do not edit.
Schemas, read in order, are the flow: raw → staging → resolved → matched → core → scored → marts. The published file
holds resolved, matched, core, scored, marts, quality and ops, people masked; `marts.dictionary` says the same there.
"""


def data_model() -> str:
    """The page: per schema its tables, per table what a row is, its grain and its columns."""
    parts = [_HEAD]
    described = {
        name: (spec.comment, spec.grain, {column: comment for column, (_, comment) in spec.columns.items()}, "Python")
        for name, spec in declared_tables().items()
    }
    for name, model in all_models().items():
        source = f"`warehouse/models/{name.replace('.', '/')}.sql`"
        described[name] = (model.description, model.grain, model.columns, source)
    for schema in SCHEMAS:
        mine = sorted(name for name in described if name.startswith(f"{schema}."))
        parts += [f"\n## {schema}\n"] * bool(mine)
        for name in mine:
            comment, grain, columns, made_by = described[name]
            key = f" Key: {', '.join(grain)}." if grain else ""
            parts.append(f"\n### {name}\n{comment}{key} Made by {made_by}.\n\n| column | meaning |\n|---|---|\n")
            parts += [f"| {column} | {text.replace('|', '/')} |\n" for column, text in columns.items()]
    return "".join(parts)


if __name__ == "__main__":
    TARGET.write_text(data_model(), encoding="utf-8")
