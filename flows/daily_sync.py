"""The daily run: bring the warehouse to a day, then tell the CRM what changed."""

from datetime import date
from enum import StrEnum
from pathlib import Path

from prefect import flow

from abmloop.settings import find_workspace
from flows.dress import leave_artifacts, perform_as_task
from tasks.loop import run_steps
from tasks.runs import open_run


class Push(StrEnum):
    """What is done about the CRM at the end of a run."""

    APPLY = "apply"
    PLAN = "plan"
    OFF = "off"


@flow(name="daily-sync", retries=0)
def daily_sync(workspace: str | None = None, as_of: date | None = None, push: Push = Push.APPLY) -> None:
    """Bring the warehouse to `as_of`, publish it, then tell the CRM what changed. 每日同步.

    Args:
        workspace: Folder of the workspace; empty: ABMLOOP_WORKSPACE of the worker. 工作区文件夹, 留空则用环境变量.
        as_of: The day the results stand for; empty: today. 结果所属日期, 留空为今天.
        push: apply sends the CRM what changed, plan only shows it, off leaves the CRM alone. 推送 / 仅预览 / 不推送.
    """
    with open_run(find_workspace(Path(workspace) if workspace else None), as_of, push=push.value) as run:
        counted = run_steps(run, perform_as_task)
        leave_artifacts(run, counted)
