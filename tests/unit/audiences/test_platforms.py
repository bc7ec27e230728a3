"""Files for ad platforms: their columns, hashed as they ask, and nothing besides."""

import hashlib
from typing import Any

import pyarrow as pa
import pytest

from scoring.audiences.platforms import EEA, company_rows, platform_rows, platforms, split_names
from scoring.policies.audiences import ListRule

PEOPLE = pa.Table.from_pylist(
    [
        {
            "email": "Zhang.San@Gmail.com",
            "mobile": "+8613800138001",
            "name": "张三",
            "country": "CN",
            "postcode": "200000",
        },
        {"email": "b@x.de", "mobile": None, "name": "Dr. Anna Maria Schmidt", "country": "DE", "postcode": None},
        {"email": None, "mobile": "+4917654648789", "name": None, "country": None, "postcode": "=1+1"},
        {"email": None, "mobile": None, "name": "无", "country": "CN", "postcode": "200000"},
    ]
)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def rows(platform: str, **more: Any) -> list[dict[str, Any]]:
    rule = ListRule.model_validate({"id": "x", "kind": "ad", "platform": platform, "why": "x", **more})
    return list(platform_rows(rule, PEOPLE).to_pylist())


def test_p42_google_gets_hashed_mail_and_number_and_a_postal_part_only_where_it_is_whole() -> None:
    found = rows("google")
    assert list(found[0]) == ["Email", "Phone", "First Name", "Last Name", "Country", "Zip"]
    assert found[0] == {
        "Email": sha("zhangsan@gmail.com"), "Phone": sha("+8613800138001"), "First Name": sha("三"),
        "Last Name": sha("张"), "Country": "CN", "Zip": "200000",
    }  # fmt: skip
    assert found[1] == {"Email": sha("b@x.de")} | dict.fromkeys(("Phone", "First Name", "Last Name", "Country", "Zip"))
    assert found[2] == {"Phone": sha("+4917654648789")} | dict.fromkeys(
        ("Email", "First Name", "Last Name", "Country", "Zip")
    )
    assert len(found) == 3


def test_p42_linkedin_gets_its_template_with_the_hash_alone() -> None:
    found = rows("linkedin")
    assert [row["email"] for row in found] == [sha("zhang.san@gmail.com"), sha("b@x.de")]
    assert {value for row in found for name, value in row.items() if name != "email"} == {None}


def test_p42_tencent_gets_mainland_numbers_in_the_hash_it_was_asked_for() -> None:
    assert rows("tencent") == [{"sha256": sha("13800138001")}]
    assert rows("tencent", hash="md5") == [{"md5": hashlib.md5(b"13800138001").hexdigest()}]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("欧阳明", "明", "欧阳"),
        ("王小明", "小明", "王"),
        ("Mary Ann Smith", "Mary Ann", "Smith"),
        ("Madonna", None, None),
        ("test@x.cn 1", None, None),
    ],
)
def test_names_in_two_parts(name: str, first: str | None, last: str | None) -> None:
    found = split_names(pa.array([name]))
    assert (found[0].to_pylist(), found[1].to_pylist()) == ([first], [last])


def test_a_list_of_companies_has_no_column_for_a_person() -> None:
    one = {"name": "甲公司", "name_en": None, "domain": "jia.cn", "industry": "机械", "city": "上海"}
    one |= {"province": "上海", "country": "CN"}
    found = company_rows(pa.Table.from_pylist([one, {**one, "name_en": "Jia Ltd"}])).to_pylist()
    assert [row["companyname"] for row in found] == ["甲公司", "Jia Ltd"]
    assert not [name for name in found[0] if "email" in name and name != "companyemaildomain"]


def test_p41_google_asks_europe_for_both_consents() -> None:
    assert platforms()["google"].eea == ("ad_user_data", "ad_personalization")
    assert len(EEA) == 30
    assert {"DE", "NO", "IS", "LI"} <= EEA
    assert "GB" not in EEA
