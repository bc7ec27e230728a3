"""Contacts as the tools hold them: web forms, a webinar tool, business cards, mail subscribers, the CRM."""

import numpy as np
import pandas as pd

from .common import DAY_SECONDS, WorldSize, local_text, pad, stream
from .noise import add_duplicates, add_rows, clean, spoil, write_as
from .people import primary_email
from .shelf import Shelf

TYPED_NAMES = {
    "exact": 0.46, "no_form": 0.19, "short": 0.12, "typo": 0.04, "english": 0.04,
    "traditional": 0.03, "branch": 0.03, "wrong": 0.02, "blank": 0.07,
}  # fmt: skip


def write_contacts(
    shelf: Shelf,
    size: WorldSize,
    seed: int,
    companies: pd.DataFrame,
    people: pd.DataFrame,
    meetings: dict[str, pd.Series],
) -> pd.Series:
    """All five sources. `meetings` gives, per source, person → second of their first contact through it.

    Returns the CRM's contact id per person, null without.
    """
    rng = stream(seed, "contacts")
    _write_forms(shelf, rng, _rows(rng, companies, people, meetings["forms"], "W"))
    _write_webinar(shelf, rng, _rows(rng, companies, people, meetings["webinar"], "R"))
    _write_cards(shelf, rng, _rows(rng, companies, people, meetings["cards"], "B"))
    _write_subscribers(shelf, rng, _rows(rng, companies, people, meetings["subscribers"], "E"))
    crm = _rows(rng, companies, people, meetings["crm"], "CT")
    _write_crm(shelf, rng, crm)
    return crm.drop_duplicates("_person").set_index("_person")["contact_id"].reindex(people["person"]).astype("str")


def _rows(
    rng: np.random.Generator, companies: pd.DataFrame, people: pd.DataFrame, first: pd.Series, letter: str
) -> pd.DataFrame:
    """One row per contact, some people twice: what they typed, with one of their e-mails and mostly their mobile."""
    again = first[rng.random(len(first)) < 0.06] + 9 * DAY_SECONDS
    when = pd.concat([first, again[again < first.max()]]).sort_values(kind="stable")
    rows = people.take(when.index.to_numpy()).reset_index(drop=True)
    count, known = len(rows), (rows["entity"] >= 0).to_numpy()
    home = companies.take(rows["entity"].clip(lower=0)).reset_index(drop=True)
    typed = write_as(rng, home, TYPED_NAMES)
    uses_personal = rng.random(count) < 0.3
    email = rows["personal_email"].where(uses_personal, rows["corporate_email"]).fillna(primary_email(rows))
    shows_mobile = (rng.random(count) < 0.85) | email.isna()
    shared = ("info@" + home["domain"]).where(
        (rng.random(count) < 0.012) & rows["mobile"].notna() & shows_mobile & known
    )
    return pd.DataFrame(
        {
            "contact_id": letter + pad(np.arange(1, count + 1), 6),
            "name": rows["name"],
            "first_name": rows["first_name"],
            "last_name": rows["last_name"],
            "company": typed["text"].where(known, rows["absent_company"]),
            "title": rows["title"].where(rng.random(count) < 0.85),
            "department": rows["department"].where(rng.random(count) < 0.6),
            "email": shared.fillna(email),
            "mobile": rows["mobile"].where(shows_mobile),
            "unionid": rows["wechat_unionid"].where(rng.random(count) < 0.6),
            "province": home["province"].where(known & (rng.random(count) < 0.4)),
            "city": home["city"].where(known & (rng.random(count) < 0.4)),
            "switchboard": home["phone"].where(known & (rng.random(count) < 0.5)),
            "website": home["domain"].where(known & (rng.random(count) < 0.4)),
            "created_at": when.to_numpy(),
            "_person": rows["person"],
            "_entity": rows["entity"],
            "_variant": typed["variant"].where(known, "absent"),
        }
    )


def _spoil(rng: np.random.Generator, frame: pd.DataFrame, mobile: str, email: str) -> pd.DataFrame:
    for kind, column, share in [
        ("phone_spaced", mobile, 0.06),
        ("phone_prefixed", mobile, 0.03),
        ("phone_full_width", mobile, 0.01),
        ("scientific_phone", mobile, 0.004),
        ("masked_phone", mobile, 0.003),
        ("email_upper_case", email, 0.02),
        ("email_full_width", email, 0.004),
    ]:
        spoil(rng, frame, kind, column, share)
    return frame


def _lost(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """One row that names nobody: every key is blank."""
    lost = frame[frame["_kind"].isna()].head(1).assign(_person=-1)
    return add_rows(frame, "no_key", lost.assign(**dict.fromkeys(keys)), keys[0])


def _pick(frame: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    kept = frame[[*columns, "_person", "_entity", "_variant"]].rename(columns=columns)
    return clean(kept.assign(_contact_id=frame["contact_id"] if "contact_id" in columns else None))


def _write_forms(shelf: Shelf, rng: np.random.Generator, rows: pd.DataFrame) -> None:
    rows = rows.assign(created=local_text(rows["created_at"].to_numpy(), "T") + "+08:00", source="官网表单")
    columns = {
        "contact_id": "contact_id", "name": "name", "company": "company", "title": "job_title", "email": "email",
        "mobile": "mobile", "unionid": "unionid", "province": "province", "city": "city", "created": "created_at",
        "source": "source",
    }  # fmt: skip
    shelf.ndjson("contacts/website_forms.ndjson.gz", _spoil(rng, _pick(rows, columns), "mobile", "email"))


def _write_webinar(shelf: Shelf, rng: np.random.Generator, rows: pd.DataFrame) -> None:
    rows = rows.assign(created=local_text(rows["created_at"].to_numpy()))
    columns = {
        "contact_id": "用户ID", "name": "姓名", "company": "公司名称", "title": "职位", "mobile": "手机号",
        "email": "邮箱", "unionid": "UnionID", "created": "报名时间",
    }  # fmt: skip
    frame = _spoil(rng, _pick(rows, columns), "手机号", "邮箱")
    shelf.xlsx("contacts/直播平台_报名用户.xlsx", {"报名用户": add_duplicates(rng, frame, 0.005)})


def _write_cards(shelf: Shelf, rng: np.random.Generator, rows: pd.DataFrame) -> None:
    """No ids: scanned cards, saved as 'Unicode text' by a spreadsheet."""
    columns = {
        "name": "姓名",
        "company": "单位",
        "title": "职务",
        "department": "部门",
        "mobile": "手机",
        "switchboard": "电话",
        "email": "邮箱",
        "website": "网址",
    }
    frame = _spoil(rng, _pick(rows, columns), "手机", "邮箱")
    frame = _lost(frame, ["手机", "电话", "邮箱"])
    shelf.csv("contacts/展会名片.tsv", add_duplicates(rng, frame, 0.01), "utf-16")


def _write_subscribers(shelf: Shelf, rng: np.random.Generator, rows: pd.DataFrame) -> None:
    rows = rows[rows["email"].notna()].reset_index(drop=True)
    columns = {
        "contact_id": "Contact ID",
        "email": "Email",
        "name": "Full Name",
        "company": "Company",
        "title": "Job Title",
    }
    frame = _pick(rows, columns)
    spoil(rng, frame, "email_upper_case", "Email", 0.02)
    shelf.csv("contacts/edm_subscribers.csv.gz", frame, "utf-8-sig")


def _write_crm(shelf: Shelf, rng: np.random.Generator, rows: pd.DataFrame) -> None:
    rows = rows.assign(created=local_text(rows["created_at"].to_numpy()))
    columns = {
        "contact_id": "Contact ID", "last_name": "Last Name", "first_name": "First Name", "company": "Account Name",
        "title": "Title", "department": "Department", "email": "Email", "mobile": "Mobile Phone",
        "switchboard": "Phone", "created": "Created Date",
    }  # fmt: skip
    frame = _spoil(rng, _pick(rows, columns), "Mobile Phone", "Email")
    ragged = frame[frame["_kind"].isna()].head(1)
    frame = add_rows(frame, "ragged_row", ragged.assign(**{"Contact ID": "CT999999", "_contact_id": "CT999999"}))
    shelf.csv("contacts/crm_contacts.csv.gz", frame)
