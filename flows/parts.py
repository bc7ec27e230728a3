"""The parts of the loop that a person starts by themselves, one flow each."""

from datetime import date
from pathlib import Path

from prefect import flow

from abmloop.settings import find_workspace
from flows.daily_sync import Push
from flows.dress import leave_artifacts, perform_as_task
from tasks.loop import PARTS, run_steps
from tasks.outbound.lists.export import Asked
from tasks.outbound.lists.steps import list_act
from tasks.runs import open_run


def _run_part(name: str, workspace: str | None, as_of: date | None, push: Push = Push.OFF) -> None:
    with open_run(find_workspace(Path(workspace) if workspace else None), as_of, push=push.value) as run:
        leave_artifacts(run, run_steps(run, perform_as_task, PARTS[name]))


@flow(name="refresh-directory")
def refresh_directory(workspace: str | None = None, as_of: date | None = None) -> None:
    """Take in new lists and bring accounts, matches and scores up to date. 更新企业名录.

    Args:
        workspace: Folder of the workspace; empty: ABMLOOP_WORKSPACE of the worker. 工作区文件夹, 留空则用环境变量.
        as_of: The day the results stand for; empty: today. 结果所属日期, 留空为今天.
    """
    _run_part("refresh-directory", workspace, as_of)


@flow(name="match-contacts")
def match_contacts(workspace: str | None = None, as_of: date | None = None) -> None:
    """Match contacts to accounts again, after reviews or changed rules. 重新匹配联系人与企业.

    Args:
        workspace: Folder of the workspace; empty: ABMLOOP_WORKSPACE of the worker. 工作区文件夹, 留空则用环境变量.
        as_of: The day the results stand for; empty: today. 结果所属日期, 留空为今天.
    """
    _run_part("match-contacts", workspace, as_of)


@flow(name="score-leads")
def score_leads(workspace: str | None = None, as_of: date | None = None) -> None:
    """Score leads, move them through the stages and route them. 线索评分与分配.

    Args:
        workspace: Folder of the workspace; empty: ABMLOOP_WORKSPACE of the worker. 工作区文件夹, 留空则用环境变量.
        as_of: The day the results stand for; empty: today. 结果所属日期, 留空为今天.
    """
    _run_part("score-leads", workspace, as_of)


@flow(name="push-leads")
def push_leads(workspace: str | None = None, as_of: date | None = None, push: Push = Push.PLAN) -> None:
    """Send the CRM what changed, or show what would be sent. 推送线索到 CRM.

    Args:
        workspace: Folder of the workspace; empty: ABMLOOP_WORKSPACE of the worker. 工作区文件夹, 留空则用环境变量.
        as_of: The day the results stand for; empty: today. 结果所属日期, 留空为今天.
        push: apply sends it, plan only shows it. 推送 / 仅预览.
    """
    _run_part("push-leads", workspace, as_of, push)


@flow(name="pull-deals")
def pull_deals(workspace: str | None = None, as_of: date | None = None) -> None:
    """Take in deals, orders and payments that the CRM exported. 取回商机、订单与回款.

    Args:
        workspace: Folder of the workspace; empty: ABMLOOP_WORKSPACE of the worker. 工作区文件夹, 留空则用环境变量.
        as_of: The day the results stand for; empty: today. 结果所属日期, 留空为今天.
    """
    _run_part("pull-deals", workspace, as_of)


@flow(name="attribute-roi")
def attribute_roi(workspace: str | None = None, as_of: date | None = None) -> None:
    """Share deals among campaigns and compute ROI. 归因与投资回报.

    Args:
        workspace: Folder of the workspace; empty: ABMLOOP_WORKSPACE of the worker. 工作区文件夹, 留空则用环境变量.
        as_of: The day the results stand for; empty: today. 结果所属日期, 留空为今天.
    """
    _run_part("attribute-roi", workspace, as_of)


@flow(name="export-audience")
def export_audience(name: str, workspace: str | None = None, as_of: date | None = None, apply: bool = False) -> None:
    """Make a list of audiences.yaml (ad audience, calls, mails, texts), or show who would be on it. 导出名单与人群包.

    Args:
        name: The list's id in audiences.yaml. audiences.yaml 中的名单编号.
        workspace: Folder of the workspace; empty: ABMLOOP_WORKSPACE of the worker. 工作区文件夹, 留空则用环境变量.
        as_of: The day the results stand for; empty: today. 结果所属日期, 留空为今天.
        apply: Make it; otherwise only count. 生成名单, 否则仅统计.
    """
    with open_run(find_workspace(Path(workspace) if workspace else None), as_of, push=Push.OFF.value) as run:
        act = list_act(name, Asked("prefect", f"flow {name}") if apply else None)
        leave_artifacts(run, [perform_as_task(act, run)])


@flow(name="publish")
def publish_again(workspace: str | None = None, as_of: date | None = None) -> None:
    """Build, check and publish what people read. 发布.

    Args:
        workspace: Folder of the workspace; empty: ABMLOOP_WORKSPACE of the worker. 工作区文件夹, 留空则用环境变量.
        as_of: The day the results stand for; empty: today. 结果所属日期, 留空为今天.
    """
    _run_part("publish", workspace, as_of)
