"""The daily run: bring the warehouse to a day, then tell the CRM what changed."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from prefect import flow
from pydantic import Field

from abmloop.settings import find_workspace
from flows.dress import leave_artifacts, perform_as_task
from tasks.loop import run_steps
from tasks.runs import open_run


class Push(StrEnum):
    """What is done about the CRM at the end of a run."""

    APPLY = "apply"
    PLAN = "plan"
    OFF = "off"


Workspace = Annotated[
    str | None,
    Field(
        title="Workspace 工作区",
        description="Folder of the workspace; empty: ABMLOOP_WORKSPACE of the worker. 工作区文件夹, 留空则用环境变量.",
    ),
]
AsOf = Annotated[
    date | None,
    Field(title="As of 截止日", description="The day the results stand for; empty: today. 结果所属日期, 留空为今天."),
]
PushChoice = Annotated[
    Push,
    Field(
        title="CRM push CRM 推送",
        description="apply: send what changed; plan: only show it; off: leave the CRM alone. 推送 / 仅预览 / 不推送.",
    ),
]


@flow(name="daily-sync", retries=0)
def daily_sync(workspace: Workspace = None, as_of: AsOf = None, push: PushChoice = Push.APPLY) -> None:
    """Bring the warehouse to `as_of`, publish it, then tell the CRM what changed. 每日同步."""
    with open_run(find_workspace(Path(workspace) if workspace else None), as_of, push=push.value) as run:
        counted = run_steps(run, perform_as_task)
        leave_artifacts(run, counted)
