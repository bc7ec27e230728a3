"""`abmloop score` on plain files: fit, engagement, who is an MQL and who is none, with reasons, and no workspace."""

from datetime import date
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from abmloop.errors import BadPolicy, BadUsage
from tasks.score.files import score_files

LEADS = """线索编号,姓名,公司名称,行业,员工人数,省份,经营状态,职位,邮箱,手机
1,王伟,深圳市华强电子有限公司,制造业,1200,广东,存续,总经理,wangwei@huaqiang.cn,13800138001
2,李娜,上海明德商贸有限公司,批发业,15,上海,存续,采购经理,lina@mingde.cn,13800138002
3,赵敏,西安交通大学,教育,,陕西,,在校学生,zm@stu.xjtu.edu.cn,13800138004
"""
TOUCHES = """触点ID,线索编号,类型,时间,渠道
t1,1,预约演示,2026-10-20 10:00,website
t2,2,打开,2026-10-21 10:00,email
t3,3,表单,2026-10-21 10:00,web
"""


def test_a_file_of_leads_is_scored_by_the_rules_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text(LEADS, encoding="utf-8")
    (tmp_path / "touches.csv").write_text(TOUCHES, encoding="utf-8")
    out = tmp_path / "scores.parquet"
    config = tmp_path / "config"
    config.mkdir()
    shipped = Path(__file__).parent.parent.parent / "scoring" / "policies" / "scoring.yaml"
    rules = shipped.read_text(encoding="utf-8").replace("points: 50\n", "points: 80\n")
    (config / "scoring.yaml").write_text(rules, encoding="utf-8")
    told = score_files(tmp_path / "leads.csv", out, config, tmp_path / "touches.csv", date(2026, 10, 31))
    assert (told["leads"], told["mqls"], told["excluded_student"]) == (3, 1, 1)
    rows = parquet.read_table(out).to_pylist()
    assert [(row["line"], row["lead"], row["grid"], row["is_mql"], row["blocked_by"]) for row in rows] == [
        (2, "1", "A3", True, None), (3, "2", "D1", False, None), (4, "3", "D1", False, "excluded"),
    ]  # fmt: skip
    assert rows[0]["reasons"] == "demo_requested +73.5 (2026-10-20)"


def test_wrong_rules_and_missing_files_are_told_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text(LEADS, encoding="utf-8")
    (tmp_path / "scoring.yaml").write_text("engagement: {}\n", encoding="utf-8")
    with pytest.raises(BadPolicy, match=r"scoring\.yaml:1: engagement\.rules: Field required"):
        score_files(tmp_path / "leads.csv", tmp_path / "out.csv", tmp_path)
    with pytest.raises(BadUsage, match=r"nobody\.csv: there is no such file"):
        score_files(tmp_path / "nobody.csv", tmp_path / "out.csv")
    with pytest.raises(BadUsage, match=r"ends in \.csv, \.xlsx, \.parquet"):
        score_files(tmp_path / "leads.csv", tmp_path / "out.txt")
