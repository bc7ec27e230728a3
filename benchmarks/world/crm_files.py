"""What the CRM and the marketing team export: campaigns, costs, deals and money, owners, consents, lists, feedback."""

import numpy as np
import pandas as pd

from .common import DAY_SECONDS, WorldSize, draw, local_day, local_text, money_text, pad, repeat, stream, take
from .deals import PROBABILITIES, Business
from .noise import add_rows, clean, spoil, write_as
from .people import primary_email
from .shelf import Shelf


def write_campaigns(shelf: Shelf, campaigns: pd.DataFrame, costs: pd.DataFrame, fx_rates: pd.DataFrame) -> None:
    """Campaigns under their quarter's programme, their dated costs, and the rates."""
    programmes = campaigns["parent_campaign_id"].drop_duplicates().sort_values()
    parents = pd.DataFrame({"活动编号": programmes, "活动名称": programmes.str.slice(1) + " 数字化工厂增长计划"})
    only_total = (~campaigns["is_costed"]) & (campaigns["channel"] == "referral")
    rows = pd.DataFrame(
        {
            "活动编号": campaigns["campaign_id"],
            "活动名称": campaigns["name"],
            "渠道": campaigns["channel"],
            "上级活动编号": campaigns["parent_campaign_id"],
            "开始日期": local_day(campaigns["starts_at"].to_numpy()),
            "结束日期": local_day(campaigns["ends_at"].to_numpy()),
            "预算": money_text(campaigns["budget_cents"].to_numpy()),
            "实际成本": money_text(campaigns["cost_cents"].to_numpy()).where(only_total),
            "币种": campaigns["currency"],
        }
    )
    shelf.csv("campaigns/市场活动.csv", clean(pd.concat([rows, parents], ignore_index=True)), "utf-8-sig")
    table = pd.DataFrame(
        {
            "费用编号": costs["cost_id"],
            "活动编号": costs["campaign_id"],
            "日期": local_day(costs["spent_at"].to_numpy()),
            "费用金额": costs["amount_cents"] / 100,
            "币种": costs["currency"],
            "费用类型": costs["kind"],
        }
    )
    shelf.xlsx("costs/市场费用明细.xlsx", {"费用": clean(table)})
    rates = pd.DataFrame(
        {
            "币种": fx_rates["currency"],
            "日期": local_day(fx_rates["valid_at"].to_numpy()),
            "汇率": fx_rates["rate"].map("{:.4f}".format),
        }
    )
    shelf.csv("fx_rates/汇率.csv", clean(rates))


PROJECTS = ["MES项目", "SCADA升级", "数字化工厂一期", "设备联网", "质量追溯"]


def write_deals(
    shelf: Shelf,
    seed: int,
    business: Business,
    companies: pd.DataFrame,
    people: pd.DataFrame,
    ids: dict[str, pd.Series],
) -> None:
    """Deals with stages, people, orders, invoices and payments. `ids` has the CRM's `account` and `contact` ids."""
    rng = stream(seed, "crm files")
    deals = business.deals
    home = companies.take(deals["entity"]).reset_index(drop=True)
    written = write_as(rng, home, {"exact": 0.85, "no_form": 0.1, "english": 0.05})
    account_id = take(ids["account"], deals["entity"].to_numpy())
    knows_account = account_id.notna() & (rng.random(len(deals)) < 0.9)
    frame = pd.DataFrame(
        {
            "商机编号": deals["deal_id"],
            "客户名称": written["text"],
            "CRM客户ID": account_id.where(knows_account),
            "统一社会信用代码": home["uscc"].where((rng.random(len(deals)) < 0.3) | ~knows_account),
            "商机名称": home["core"] + " " + draw(rng, PROJECTS, len(deals)),
            "销售阶段": deals["stage"],
            "金额": money_text(deals["amount_cents"].to_numpy()),
            "币种": deals["currency"],
            "创建时间": local_text(deals["created_at"].to_numpy()),
            "结单日期": local_text(deals["closed_at"].to_numpy()).where(deals["closed_at"] > 0),
            "负责人编号": ids["owner"],
            "商机类型": deals["type"],
            "赢率": pad(deals["stage"].map(PROBABILITIES).to_numpy(), 1) + "%",
            "_deal_id": deals["deal_id"],
            "_entity": deals["entity"],
        }
    )
    frame = clean(frame)
    early = deals["kind"] == "before_first_touch"
    frame.loc[early, ["_kind", "_column"]] = ["deal_before_first_touch", "创建时间"]
    shelf.xlsx("deals/商机.xlsx", {"商机": frame})
    _write_deal_parts(shelf, business, people, ids["contact"])


def _write_deal_parts(shelf: Shelf, business: Business, people: pd.DataFrame, contact_ids: pd.Series) -> None:
    stages, contacts = business.stages, business.contacts
    entered = local_text(stages["entered_at"].to_numpy())
    history = pd.DataFrame({"商机编号": stages["deal_id"], "销售阶段": stages["stage"], "进入时间": entered})
    shelf.csv("deal_stages/商机阶段历史.csv", clean(history))
    person = contacts["person"].to_numpy()
    keys = _person_keys(people, person, contact_ids)
    keys.insert(0, "商机编号", contacts["deal_id"])
    rows = keys.assign(角色=contacts["role"], 主联系人=contacts["is_primary"], _person=person)
    shelf.csv("deal_contacts/商机联系人.csv", clean(rows))


def write_splits(shelf: Shelf, business: Business, companies: pd.DataFrame, owners: pd.Series) -> None:
    """Every twenty-fifth won deal is two sales people's; one that no touch reached is three companies', in thirds."""
    won = business.deals[business.deals["status"] == "won"].iloc[::25]
    first, second = owners.to_numpy()[won.index], np.array([row[0] for row in OWNERS])
    second = np.where(first == second[0], second[1], second[0])
    people = pd.DataFrame(
        {
            "商机编号": np.repeat(won["deal_id"].to_numpy(), 2),
            "负责人编号": np.column_stack([first, second]).ravel(),
            "分摊比例": np.tile(["70%", "30%"], len(won)),
        }
    )
    untouched = business.deals[(business.deals["kind"] == "untouched") & (business.deals["status"] != "lost")].head(3)
    home = companies.take(untouched["entity"]).reset_index(drop=True)
    parts = pd.DataFrame(
        {
            "商机编号": untouched["deal_id"].iloc[0],
            "客户名称": home["name"],
            "统一社会信用代码": home["uscc"],
            "分摊比例": "33.33%",
        }
    )
    shelf.csv("deal_splits/商机分摊.csv", clean(pd.concat([people, parts], ignore_index=True)))


def write_money(shelf: Shelf, business: Business) -> None:
    """Orders, invoices and payments; one order has no deal, two payments no order, one payment no number."""
    orders = _money(business.orders, {"order_id": "订单编号", "deal_id": "商机编号"}, "signed_at", "签订日期")
    for name, column in (("合同开始日期", "term_starts_at"), ("合同结束日期", "term_ends_at")):
        orders[name] = local_day(business.orders[column].to_numpy())
    lost = orders.head(1).assign(
        订单编号="S900001", 商机编号="D900001", 金额="88000.00", 币种="CNY", 合同开始日期=None, 合同结束日期=None
    )
    shelf.csv("orders/销售订单.csv", add_rows(orders, "order_without_deal", lost, "商机编号"), "gb18030")
    shelf.csv(
        "invoices/发票.csv",
        _money(business.invoices, {"invoice_id": "发票编号", "order_id": "订单编号"}, "at", "开票日期"),
    )
    payments = _money(business.payments, {"payment_id": "回款编号", "order_id": "订单编号"}, "at", "回款日期")
    lost = payments.iloc[[0, 0]].assign(
        回款编号=["Z900001", "Z900002"], 订单编号="S999999", 金额=["12000.00", "3000.00"], 币种="CNY"
    )
    payments = add_rows(payments, "payment_without_order", lost, "订单编号")
    words = payments.head(1).assign(回款编号="Z900003", 金额="待财务确认")
    shelf.xlsx("payments/回款记录.xlsx", {"回款": add_rows(payments, "amount_not_number", words, "金额")})


def _money(rows: pd.DataFrame, ids: dict[str, str], time: str, day: str) -> pd.DataFrame:
    frame = rows[list(ids)].rename(columns=ids)
    return clean(
        frame.assign(
            **{
                day: local_day(rows[time].to_numpy()),
                "金额": money_text(rows["amount_cents"].to_numpy()),
                "币种": rows["currency"],
            }
        )
    )


OWNERS = [
    ("O01", "周建国", "华东一组", "上海市;江苏省", "通用设备制造业;汽车制造业", "中文;English", "是", ""),
    ("O02", "林晓燕", "华东一组", "浙江省", "", "中文", "是", ""),
    ("O03", "陈志强", "华东二组", "安徽省;福建省;江西省;山东省", "", "中文", "是", ""),
    (
        "O04",
        "黄海波",
        "华南组",
        "广东省",
        "计算机、通信和其他电子设备制造业;电气机械和器材制造业",
        "中文;English",
        "是",
        "",
    ),
    ("O05", "梁嘉琪", "华南组", "广东省;广西壮族自治区;海南省", "", "中文", "是", "2026-11-08"),
    ("O06", "赵明宇", "华北组", "北京市;天津市;河北省;山西省;内蒙古自治区", "", "中文", "是", ""),
    ("O07", "王天睿", "东北组", "辽宁省;吉林省;黑龙江省", "", "中文", "是", ""),
    ("O08", "谭思涵", "中西部组", "湖北省;湖南省;河南省;陕西省;甘肃省;新疆维吾尔自治区", "", "中文", "是", ""),
    ("O09", "罗振宇航", "中西部组", "四川省;重庆市;贵州省;云南省", "", "中文", "否", ""),
    ("O10", "Grace Falk", "海外组", "", "", "English;Deutsch", "是", ""),
]


def owner_of(companies: pd.DataFrame, entity: np.ndarray) -> pd.Series:
    """The owner whose provinces hold the company; companies abroad have O10, the rest O01."""
    table = {
        province: owner
        for owner, _, _, provinces, *_ in reversed(OWNERS)
        for province in provinces.split(";")
        if province
    }
    rows = companies.take(entity).reset_index(drop=True)
    return rows["province"].map(table).where(rows["kind"] != "foreign", "O10").fillna("O01").astype("str")


def write_owners(shelf: Shelf) -> None:
    """Ten sales people by province and industry: one away until November, one inactive."""
    columns = ["负责人编号", "姓名", "团队", "负责省份", "负责行业", "语言", "是否在职", "休假至"]
    frame = pd.DataFrame(OWNERS, columns=columns, dtype="str").replace("", None)
    frame = frame.assign(
        邮箱=frame["负责人编号"].str.lower() + "@abmloop-sample.com", 产品线="MES;SCADA", 每日上限="8", 持有上限="120"
    )
    shelf.csv("owners/销售团队.csv", clean(frame), "utf-8-sig")


def write_feedback(
    shelf: Shelf, size: WorldSize, seed: int, leads: pd.DataFrame, people: pd.DataFrame, ids: dict[str, pd.Series]
) -> None:
    """What sales said of leads, what it did, and what people answered."""
    rng = stream(seed, "feedback")
    judged = leads[(leads["entity"] >= 0) & (rng.random(len(leads)) < 0.7)]
    first = judged.assign(status=np.where(judged["is_rejected"], "rejected", "accepted"), at=judged["decided_at"])
    second = judged[judged["sql_at"] > 0].assign(status="qualified", reason=None, at=judged["sql_at"])
    rows = pd.concat([first.assign(reason=first["reason"].where(first["is_rejected"])), second]).sort_values(
        ["at", "person"], kind="stable"
    )
    keys = _person_keys(people, rows["person"].to_numpy(), ids["contact"])
    frame = keys.assign(
        状态=rows["status"].to_numpy(),
        原因=rows["reason"].astype("str").to_numpy(),
        变更时间=local_text(rows["at"].to_numpy()),
    )
    shelf.csv("lead_status/线索跟进反馈.csv", clean(frame.assign(_person=rows["person"].to_numpy())))
    _write_answers(shelf, rng, judged[judged["sal_at"] > 0], people)
    _write_activities(shelf, rng, size, judged[judged["sal_at"] > 0], people, ids)


def _person_keys(people: pd.DataFrame, person: np.ndarray, contact_ids: pd.Series) -> pd.DataFrame:
    who = people.take(person).reset_index(drop=True)
    return pd.DataFrame({"联系人ID": take(contact_ids, person), "邮箱": primary_email(who), "手机号": who["mobile"]})


QUESTIONS = {
    "预算": ["50万以内", "50-200万", "200万以上", "无"],
    "决策": ["我决定", "参与决策", "不清楚"],
    "需求": ["设备联网", "质量追溯", "排产", "无"],
    "采购计划": ["3个月内", "半年内", "一年内", "未知"],
}


def _write_answers(shelf: Shelf, rng: np.random.Generator, leads: pd.DataFrame, people: pd.DataFrame) -> None:
    parts = []
    for question, answers in QUESTIONS.items():
        asked = leads[rng.random(len(leads)) < 0.6]
        who = people.take(asked["person"]).reset_index(drop=True)
        text = draw(rng, answers, len(asked))
        time = local_text(asked["sal_at"].to_numpy() + 3600)
        parts.append(
            pd.DataFrame(
                {
                    "邮箱": primary_email(who),
                    "手机号": who["mobile"],
                    "问题": question,
                    "回答": text,
                    "回答时间": time,
                    "_person": asked["person"].to_numpy(),
                }
            )
        )
    shelf.csv("qualifications/资格问卷.csv", clean(pd.concat(parts, ignore_index=True)))


def _write_activities(
    shelf: Shelf,
    rng: np.random.Generator,
    size: WorldSize,
    leads: pd.DataFrame,
    people: pd.DataFrame,
    ids: dict[str, pd.Series],
) -> None:
    times = rng.integers(1, 5, len(leads))
    rows = leads.loc[leads.index.repeat(times)].reset_index(drop=True)
    at = np.minimum(
        rows["sal_at"]
        + rows.groupby("person").cumcount() * 6 * DAY_SECONDS
        + rng.integers(0, 3 * DAY_SECONDS, len(rows)),
        size.last_second,
    )
    keys = _person_keys(people, rows["person"].to_numpy(), ids["contact"])
    frame = keys.assign(
        跟进记录ID="T" + pad(np.arange(1, len(rows) + 1), 6),
        负责人编号=take(ids["owner_of"], rows["entity"].to_numpy()),
        跟进方式=draw(rng, ["电话", "邮件", "拜访", "微信"], len(rows), [5, 2, 2, 3]),
        跟进时间=local_text(at.to_numpy()),
        _person=rows["person"],
    )
    shelf.csv("activities/跟进记录.csv.gz", clean(frame))


def write_consents(
    shelf: Shelf, size: WorldSize, seed: int, people: pd.DataFrame, touches: pd.DataFrame
) -> pd.DataFrame:
    """Grants, refusals and withdrawals; who unsubscribed withdrew. Returns person, channel, status, second."""
    rng = stream(seed, "consents")
    parts = []
    email = people[primary_email(people).notna() & (rng.random(len(people)) < 0.8)]
    parts.append(_consent(email, "email", "granted", email["since"].to_numpy()))
    sms = people[people["mobile"].notna() & (rng.random(len(people)) < 0.45)]
    parts.append(_consent(sms, "sms", "granted", sms["since"].to_numpy()))
    parts.append(_consent(sms[rng.random(len(sms)) < 0.6], "call", "granted", sms["since"].min() if len(sms) else 0))
    later = rng.integers(size.first_second, size.last_second, len(people))
    for channel, status, share in [("email", "refused", 0.02), ("sms", "withdrawn", 0.02), ("any", "refused", 0.01)]:
        some = people[(rng.random(len(people)) < share) | (people["person"] == 0)]
        parts.append(_consent(some, channel, status, later[some["person"]]))
    gone = touches[touches["type"] == "unsubscribe"]
    off = people.take(gone["person"]).assign(since=gone["second"].to_numpy())
    parts.append(
        _consent(off, "email", "withdrawn", off["since"].to_numpy()).assign(
            channel=gone["channel"].replace("edm", "email").to_numpy()
        )
    )
    rows = pd.concat(parts, ignore_index=True).sort_values(["second", "person"], kind="stable").reset_index(drop=True)
    keys = _person_keys(people, rows["person"].to_numpy(), repeat(None, len(people))).drop(columns="联系人ID")
    evidence = rows["status"].map({"granted": "官网表单勾选", "refused": "电话拒绝", "withdrawn": "退订链接"})
    frame = keys.assign(
        渠道=rows["channel"],
        状态=rows["status"],
        时间=local_text(rows["second"].to_numpy()),
        证据=evidence,
        _person=rows["person"],
    )
    shelf.csv("consents/营销授权.csv.gz", clean(frame))
    return rows


def _consent(people: pd.DataFrame, channel: str, status: str, second: np.ndarray | int) -> pd.DataFrame:
    return pd.DataFrame({"person": people["person"].to_numpy(), "channel": channel, "status": status, "second": second})


def write_account_lists(shelf: Shelf, seed: int, companies: pd.DataFrame, taken: np.ndarray) -> pd.DataFrame:
    """Targets (fitting), reserved heads, exclusions (competitors, none with a deal). Returns list and entity."""
    rng = stream(seed, "account lists")
    best = np.flatnonzero((companies["fit"] >= 0.99) & (companies["kind"] != "branch"))
    targets = np.sort(rng.permutation(best)[: max(5, len(companies) // 100)])
    rivals = np.setdiff1d(np.flatnonzero(companies["industry_word"].isin(["软件", "信息技术"])), taken)
    rivals = np.sort(rng.permutation(rivals)[: max(2, len(companies) // 600)])
    reserved = targets[:: max(1, len(targets) // 20)]
    rows = pd.concat(
        [
            pd.DataFrame({"list": name, "entity": chosen})
            for name, chosen in [("target", targets), ("reserved", reserved), ("exclusion", rivals)]
        ]
    )
    rows = rows.reset_index(drop=True)
    home = companies.take(rows["entity"]).reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "名单类型": rows["list"],
            "企业名称": home["name"],
            "统一社会信用代码": home["uscc"],
            "级别": pd.Series(np.where(home["employees"] >= 500, "T1", "T2"), dtype="str").where(
                rows["list"] != "exclusion"
            ),
            "原因": rows["list"].map({"target": "符合ICP", "reserved": "总部大客户", "exclusion": "竞争对手"}),
            "负责人编号": owner_of(companies, rows["entity"].to_numpy()).where(rows["list"] != "exclusion"),
            "生效日期": "2025-11-01",
        }
    )
    frame = clean(frame)
    spoil(rng, frame, "code_lower_case", "统一社会信用代码", 0.01)
    shelf.xlsx("lists/目标与排除名单.xlsx", {"名单": frame})
    return rows


def write_people_list(shelf: Shelf, people: pd.DataFrame, leads: pd.DataFrame) -> None:
    """Three people of no listed company who are no leads, of whom it is known why: they are left out by name."""
    strangers = people[(people["entity"] < 0) & ~people["person"].isin(leads["person"]) & primary_email(people).notna()]
    chosen = strangers.head(3)
    reasons = pd.Series(["同行人员", "在校学生", "测试账号"], dtype="str").head(len(chosen))
    frame = pd.DataFrame({"名单类型": "exclusion", "邮箱": primary_email(chosen).to_numpy(), "原因": reasons})
    shelf.csv("lists/排除人员.csv", clean(frame))
