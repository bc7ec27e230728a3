"""How a plain step becomes a Prefect task, and what a run leaves in Prefect for people to read."""

from pathlib import Path

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from abmloop.run import Run, StepCounts
from tasks.loop import Act
from tasks.summary import files_rows, quality_rows
from warehouse.database import connect_published, published_path

MAX_ARTIFACT_ROWS = 200


def perform_as_task(act: Act, run: Run) -> StepCounts:
    """Carry out a step as a Prefect task of its name. Nothing is cached: whether work is due, the warehouse knows."""
    return task(name=act.__name__, cache_policy=NO_CACHE, persist_result=False)(act)(run)


def leave_artifacts(run: Run, counted: list[StepCounts]) -> None:
    """Rows in and out per step, what was refused per file, what the doors said, and where to look."""
    create_table_artifact(
        key="steps",
        table=[{"step": counts.step, "rows": str(counts)} for counts in counted],
        description=f"What each step did, as of {run.as_of}",
    )
    if published_path(run.root).is_file():
        with connect_published(run.root) as con:
            create_table_artifact(
                key="files", table=files_rows(con)[:MAX_ARTIFACT_ROWS], description="What came in, what was refused"
            )
            create_table_artifact(
                key="quality", table=quality_rows(con)[:MAX_ARTIFACT_ROWS], description="What the doors asked"
            )
    create_markdown_artifact(key="where-to-look", markdown=_links(run), description="Report and database")


def _links(run: Run) -> str:
    report = Path(run.workspace) / "reports" / "report.html"
    lines = [
        f"# {run.as_of}",
        f"- report: `{report}`",
        f"- database for SQL: `{published_path(run.root)}`",
        f"- for the CRM: `{Path(run.workspace) / 'exports' / 'crm'}`",
    ]
    return "\n".join(lines)
