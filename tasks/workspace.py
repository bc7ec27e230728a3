"""Making a workspace: settings with comments, the default rules, an inbox with a folder per entity."""

import shutil
from pathlib import Path

from abmloop.errors import BadUsage
from abmloop.messages import said
from abmloop.settings import SETTINGS_FILE
from tasks.land.entities import entities
from tasks.land.plans import EXPORTS
from tasks.policies import DEFAULTS, POLICIES

SAMPLE = Path(__file__).parent.parent / "sample"

_SETTINGS = """\
# abmloop's settings for this workspace. What is commented out shows the default.
# 本工作区的设置; 注释掉的行为默认值. Secrets never stand here: they come from environment variables.

name: {name}            # shown on reports 报告上的名称
language: {language}             # en or zh: messages, explanations, report 语言
timezone: Asia/Shanghai  # a day is a day of this zone 时区
currency: CNY            # money without a currency; reports sum in it 本位币

# fiscal_year_starts_in: 1   # month in which the fiscal year begins: all quarters and years go by it 财年起始月
# memory_limit: 2GB      # DuckDB's memory; beyond it spills to disk 内存上限
# threads: 0             # 0 = all cores 线程数, 0 为全部
# processes: 0           # that judge large numbers of matches; 0 = one for each core 匹配进程数
# dask_scheduler: tcp://host:8786   # a Dask cluster does it instead (pip install 'dask[distributed]') 分布式集群
# quarantine_hold_share: 0.05   # a file with more refused rows than this holds the publish 拒收比例上限
# quarantine_hold_rows: 20      # …if more than so many are refused; one bad row of ten says little 拒收行数下限
# push: apply            # after a sync: apply (send to the CRM), plan (only show), off 推送方式
# ledger_url: postgresql+psycopg://host/abmloop   # several machines; default: ledger/ledger.db
"""

_CONFIG_NOTE = """\
# The default rules, yours to change. Delete this file to go by the default.
# 默认规则, 可修改; 删除本文件即恢复默认.
"""


def make_workspace(root: Path, language: str = "en") -> list[Path]:
    """A new workspace in `root`; gives the files written.

    Raises BadUsage where `root` holds one already: nothing of a user's is ever overwritten.
    """
    if (root / SETTINGS_FILE).exists():
        raise BadUsage(said("usage_workspace_there", root=root))
    root.mkdir(parents=True, exist_ok=True)
    for folder in ("config", "raw", "ledger", "state", "published", "reports", "quality", "exports", "crm"):
        (root / folder).mkdir(mode=0o700, exist_ok=True)
    for entity in (*entities(), EXPORTS):
        (root / "inbox" / entity).mkdir(parents=True, exist_ok=True)
    written = [root / SETTINGS_FILE]
    name = root.resolve().name
    written[0].write_text(_SETTINGS.format(name=name, language=language), encoding="utf-8")
    for file_name in POLICIES:
        target = root / "config" / file_name
        target.write_text(_CONFIG_NOTE + (DEFAULTS / file_name).read_text(encoding="utf-8"), encoding="utf-8")
        written.append(target)
    return written


def make_demo(root: Path, language: str = "en") -> None:
    """A fresh workspace with the bundled sample in its inbox; a former demo in `root` is removed.

    Raises BadUsage where `root` is something else than a former demo.
    """
    marker = root / ".demo"
    if root.exists() and any(root.iterdir()) and not marker.exists():
        raise BadUsage(said("usage_no_former_demo", root=root))
    if root.exists():
        shutil.rmtree(root)
    make_workspace(root, language)
    marker.write_text("made by abmloop demo; removed by the next one\n", encoding="utf-8")
    shutil.copytree(SAMPLE / "inbox", root / "inbox", dirs_exist_ok=True)
    if (SAMPLE / "config").is_dir():
        shutil.copytree(SAMPLE / "config", root / "config", dirs_exist_ok=True)
