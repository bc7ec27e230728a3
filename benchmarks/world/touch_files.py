"""Touches as the tools record them: mail, messages, webinars, the website, fairs and sales."""

import numpy as np
import pandas as pd

from .common import DAY_SECONDS, SHANGHAI_OFFSET_SECONDS, WorldSize, local_text, pad, slashed_text, stream
from .noise import add_duplicates, add_rows, clean, spoil
from .people import primary_email
from .shelf import Shelf

PREFIXES = {"edm": "M", "sms": "S", "wechat": "X", "web": "V", "forms": "F", "webinar": "L", "event": "N", "sales": "H"}


def write_touches(
    shelf: Shelf, size: WorldSize, seed: int, people: pd.DataFrame, touches: pd.DataFrame, campaigns: pd.DataFrame
) -> pd.Series:
    """All files. Returns the touch id by position."""
    rng = stream(seed, "touch files")
    number = touches.groupby("tool").cumcount() + 1
    touch_id = touches["tool"].map(PREFIXES).astype("str") + pad(number.to_numpy(), 7)
    rows = _with_keys(rng, people, touches.assign(touch_id=touch_id), campaigns)
    tools = {tool: part.reset_index(drop=True) for tool, part in rows.groupby("tool")}
    none = rows.head(0)
    _write_mail(shelf, rng, size, tools.get("edm", none))
    _write_messages(shelf, rng, pd.concat([tools.get("sms", none), tools.get("wechat", none)], ignore_index=True))
    _write_webinar(shelf, rng, tools.get("webinar", none))
    _write_web(shelf, tools.get("web", none))
    _write_forms(shelf, rng, tools.get("forms", none))
    _write_fairs(shelf, rng, tools.get("event", none))
    _write_sales(shelf, tools.get("sales", none))
    return touch_id


def _with_keys(
    rng: np.random.Generator, people: pd.DataFrame, touches: pd.DataFrame, campaigns: pd.DataFrame
) -> pd.DataFrame:
    """The keys each tool knows the person by. One of a person's two addresses is used throughout a campaign."""
    who = people.take(touches["person"]).reset_index(drop=True)
    uses_personal = (touches["person"] * 31 + touches["campaign"]) % 4 == 0
    email = who["personal_email"].where(uses_personal, who["corporate_email"]).fillna(primary_email(who))
    campaign_id = campaigns["campaign_id"].take(touches["campaign"].clip(lower=0)).reset_index(drop=True)
    return touches.assign(
        campaign_id=campaign_id.where(touches["campaign"] >= 0),
        email=email,
        mobile=who["mobile"],
        unionid=who["wechat_unionid"],
        name=who["name"],
        minutes_text=pad(touches["minutes"].fillna(0).to_numpy(), 1).where(touches["minutes"].notna()),
        _touch=touches["touch"],
        _person=touches["person"],
    )


def _pick(rows: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    return clean(rows[[*columns, "_touch", "_person"]].rename(columns=columns))


def _write_mail(shelf: Shelf, rng: np.random.Generator, size: WorldSize, rows: pd.DataFrame) -> None:
    """Two half-years; times without an offset. The later file has mail of tomorrow, of 30 February, and of nobody."""
    rows = rows.assign(time=local_text(rows["second"].to_numpy()))
    columns = {
        "touch_id": "Event ID",
        "campaign_id": "Campaign ID",
        "email": "Email",
        "type": "Event Type",
        "time": "Timestamp",
    }
    middle = size.first_second + (size.last_second - size.first_second) // 2
    first = _pick(rows[rows["second"] < middle].reset_index(drop=True), columns)
    second = _pick(rows[rows["second"] >= middle].reset_index(drop=True), columns)
    sample = second.head(3).assign(_touch=-1)
    later = pd.Series(local_text(size.last_second + np.array([2, 40, 400]) * DAY_SECONDS))
    second = add_rows(
        second,
        "future_time",
        sample.assign(**{"Event ID": _extra("M", 1, len(sample)), "Timestamp": later.head(len(sample))}),
        "Timestamp",
    )
    second = add_rows(
        second,
        "bad_time",
        sample.assign(**{"Event ID": _extra("M", 4, len(sample)), "Timestamp": "2026-02-30 10:00:00"}),
        "Timestamp",
    )
    second = add_rows(
        second,
        "no_key",
        sample.head(2).assign(**{"Event ID": _extra("M", 7, 2), "Email": None, "_person": -1}),
        "Email",
    )
    second = add_rows(second, "ragged_row", sample.head(1).assign(**{"Event ID": _extra("M", 9, 1)}))
    shelf.csv("touches/edm_events_1.csv.gz", add_duplicates(rng, first, 0.004))
    shelf.csv("touches/edm_events_2.csv.gz", add_duplicates(rng, second, 0.004))


def _extra(letter: str, start: int, count: int) -> list[str]:
    return [f"{letter}99{number:05d}" for number in range(start, start + count)]


def _write_messages(shelf: Shelf, rng: np.random.Generator, rows: pd.DataFrame) -> None:
    is_sms = rows["tool"] == "sms"
    rows = rows.assign(
        mobile=rows["mobile"].where(is_sms),
        unionid=rows["unionid"].where(~is_sms),
        time=local_text(rows["second"].to_numpy()),
    )
    columns = {
        "touch_id": "事件ID", "campaign_id": "活动编号", "mobile": "手机号", "unionid": "UnionID", "type": "行为类型",
        "content": "内容", "time": "发生时间",
    }  # fmt: skip
    frame = _pick(rows, columns)
    spoil(rng, frame, "phone_spaced", "手机号", 0.01)
    shelf.csv("touches/短信与公众号互动.csv.gz", frame, "gb18030")


def _write_webinar(shelf: Shelf, rng: np.random.Generator, rows: pd.DataFrame) -> None:
    """Registrations with the time as text, attendance with real date cells and minutes as numbers."""
    local = pd.to_datetime(rows["second"].to_numpy() + SHANGHAI_OFFSET_SECONDS, unit="s")
    rows = rows.assign(time=local_text(rows["second"].to_numpy()), stamp=local)
    is_in = rows["type"] == "attendance"
    names = {
        "touch_id": "记录ID",
        "campaign_id": "活动编号",
        "name": "姓名",
        "mobile": "手机号",
        "email": "邮箱",
        "type": "行为类型",
    }
    registered = _pick(rows[~is_in].reset_index(drop=True), {**names, "time": "报名时间"})
    attended = _pick(rows[is_in].reset_index(drop=True), {**names, "stamp": "进入时间", "minutes": "观看时长(分钟)"})
    spoil(rng, registered, "phone_prefixed", "手机号", 0.01)
    shelf.xlsx("touches/直播平台_报名与参会.xlsx", {"报名": add_duplicates(rng, registered, 0.004), "参会": attended})


def _write_web(shelf: Shelf, rows: pd.DataFrame) -> None:
    """Identified visits and clicks: time in UTC, typed."""
    stamps = pd.to_datetime(rows["second"].to_numpy(), unit="s", utc=True)
    rows = rows.assign(time=pd.Series(stamps).astype("datetime64[ms, UTC]"))
    columns = {
        "touch_id": "touch_id",
        "campaign_id": "campaign_id",
        "channel": "channel",
        "email": "email",
        "mobile": "mobile",
        "type": "type",
        "content": "content",
        "time": "occurred_at",
    }
    shelf.parquet(
        "touches/web_visits.parquet", _pick(rows.assign(mobile=rows["mobile"].where(rows["email"].isna())), columns)
    )


def _write_forms(shelf: Shelf, rng: np.random.Generator, rows: pd.DataFrame) -> None:
    """Times with their offset."""
    rows = rows.assign(time=local_text(rows["second"].to_numpy(), "T") + "+08:00")
    columns = {
        "touch_id": "event_id",
        "campaign_id": "campaign_id",
        "email": "email",
        "mobile": "mobile",
        "type": "event",
        "content": "page_url",
        "time": "timestamp",
    }
    frame = _pick(rows, columns)
    spoil(rng, frame, "email_upper_case", "email", 0.02)
    shelf.ndjson("touches/website_form_events.ndjson.gz", frame)


def _write_fairs(shelf: Shelf, rng: np.random.Generator, rows: pd.DataFrame) -> None:
    """Signed in at the booth, as a spreadsheet writes times; the same file came twice."""
    rows = rows.assign(time=slashed_text(rows["second"].to_numpy()))
    columns = {
        "touch_id": "记录ID",
        "campaign_id": "活动编号",
        "name": "姓名",
        "mobile": "手机号",
        "type": "行为类型",
        "content": "内容",
        "time": "时间",
    }
    frame = _pick(rows, columns)
    for kind, share in [("phone_spaced", 0.05), ("phone_prefixed", 0.02)]:
        spoil(rng, frame, kind, "手机号", share)
    shelf.csv("touches/展会签到.csv", frame, "gb18030")
    shelf.again("touches/展会签到.csv", "touches/展会签到(1).csv")


def _write_sales(shelf: Shelf, rows: pd.DataFrame) -> None:
    rows = rows.assign(time=local_text(rows["second"].to_numpy()))
    columns = {
        "touch_id": "记录ID",
        "campaign_id": "活动编号",
        "email": "邮箱",
        "mobile": "手机",
        "type": "行为",
        "content": "备注",
        "time": "时间",
    }
    shelf.csv("touches/销售拜访与回复.csv", _pick(rows, columns))
