"""Job titles in Chinese and English: how senior, and in which function."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from scoring.values.text import Values, as_column, clean_text, first_rule, is_placeholder, is_same_as_above

# The first pattern that fits decides, so deputies and assistants come before those they serve.
_SENIORITY: Final = (
    ("staff", r"助理|秘书|assistant|secretary|intern|实习|学生|student|trainee"),
    ("vp", r"副总裁|副总经理|副总\b|副总$|副院长|副董事长|副校长|副行长|vice[ -]?president|\b[seag]?vp\b|副主席|总经理助理|partner|合伙人"),
    ("director", r"副总监"),
    ("manager", r"副经理|副部长|副主任|副处长|副科长|产品经理|项目经理|客户经理|大客户经理|店长"),
    ("c_level", r"董事长|总裁|首席|总经理|\b(c[a-z]o|ciso|chro)\b|chief|president|founder|创始人|owner|法人|法定代表人|老板|行长|院长|校长|厂长|理事长|主席|执行董事|managing director|general manager|\bgm\b|board|负责人$"),
    ("director", r"总监|director|head of|总工|总工程师|head\b|局长|处长|事业部总|大区总|董事"),
    ("manager", r"经理|\bmanager|主管|主任|部长|科长|组长|supervisor|lead\b|leader|队长|mgr|班长|所长|站长|课长"),
    ("staff", r"专员|工程师|engineer|职员|员工|specialist|顾问|consultant|analyst|分析师|设计师|designer|developer|开发|会计|出纳|教师|老师|文员|staff|代表|representative|executive|coordinator|架构师|architect|技术员|业务员|采购员|销售|研究员|researcher|scientist|programmer|程序员|administrator|clerk|officer|buyer|运营|编辑"),
)  # fmt: skip
_DEPARTMENT: Final = (
    ("it", r"信息|\bit\b|\b(cio|ciso|cto)\b|chief (information|technology)|数字化|网络|运维|系统管理|技术总监|首席技术|首席信息|信息化|information technology|security|infrastructure|devops"),
    ("procurement", r"采购|供应链|procure|purchas|sourcing|supply chain|buyer|物流|logistics"),
    ("finance", r"财务|会计|\bcfo\b|financ|accountant|accounting|审计|audit|税务|treasur|出纳"),
    ("hr", r"人力|人事|\bhr|招聘|\bchro\b|human resource|recruit|people|培训"),
    ("marketing", r"市场|品牌|marketing|\bcmo\b|brand|公关|推广|传播|growth|运营总监"),
    ("sales", r"销售|业务|商务|sales|客户经理|大客户|渠道|business development|\bbd\b|account (manager|executive)|营销|\bcso\b"),
    ("product", r"产品|product"),
    ("rd", r"研发|技术|开发|工程|engineer|developer|r&d|research|研究|architect|架构|设计|design|scientist|算法|实验|总工"),
    ("production", r"生产|制造|工厂|厂长|车间|manufactur|production|plant|质量|品质|quality|设备|工艺|安全"),
    ("service", r"客服|售后|服务|support|customer|service"),
    ("legal", r"法务|合规|legal|compliance|counsel|律师"),
    ("administration", r"行政|办公室|\badmin|\boffice\b|后勤"),
    ("management", r"董事|总裁|总经理|\b(ceo|coo)\b|president|founder|创始人|chief|首席|owner|法人|老板|general manager|managing director|合伙人|战略|strategy"),
)  # fmt: skip


def parse_titles(values: Values) -> pa.Table:
    """Titles: value, title, seniority (c_level, vp, director, manager, staff or unknown), department, rule."""
    column = as_column(values)
    text = clean_text(column)
    nothing = pc.or_(is_placeholder(text), is_same_as_above(text))
    title = pc.if_else(nothing, pa.scalar(None, pa.string()), text)
    word = pc.utf8_lower(title)
    seniority = _first_match(word, _SENIORITY)
    return pa.table(
        {
            "value": column,
            "title": title,
            "seniority": pc.if_else(pc.is_valid(title), pc.fill_null(seniority, "unknown"), seniority),
            "department": _first_match(word, _DEPARTMENT),
            "rule": first_rule(("text-placeholder", nothing)),
        }
    )


def _first_match(word: pa.Array, patterns: tuple[tuple[str, str], ...]) -> pa.Array:
    return first_rule(*((name, pc.match_substring_regex(word, pattern)) for name, pattern in patterns))
