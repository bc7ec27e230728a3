"""The tables beside the parsers hold together."""

import re

import pytest

from scoring.values.regions import area_codes, parse_countries, places, region_table
from scoring.values.tables import load_csv, load_yaml
from scoring.values.titles import parse_titles
from scoring.values.words import parse_statuses, parse_words, tells_no_consent, vocabularies


def test_every_place_lies_in_a_place() -> None:
    assert all(place.parent_code in places() for place in places().values() if place.level != "province")
    assert region_table().num_rows == len(places()) > 3000


def test_every_former_place_leads_to_one_of_today() -> None:
    assert [row["name"] for row in load_csv("former_regions") if row["now_code"] not in places()] == []


def test_big_cities_have_their_dialling_codes() -> None:
    known = dict(zip(*(area_codes()[name].to_pylist() for name in ("city_code", "area_code")), strict=True))
    assert {
        code: known.get(code) for code in ("110100", "310100", "440100", "440300", "330100", "510100", "420100")
    } == {
        "110100": "10",
        "310100": "21",
        "440100": "20",
        "440300": "755",
        "330100": "571",
        "510100": "28",
        "420100": "27",
    }


def test_industries_are_the_20_sections_and_97_divisions() -> None:
    rows = load_csv("industries")
    assert len([row for row in rows if row["code"].isdigit()]) == 97
    assert "".join(row["code"] for row in rows if not row["code"].isdigit()) == "ABCDEFGHIJKLMNOPQRST"


def test_words_are_lower_case_without_spaces_and_mean_one_thing() -> None:
    for name, words in vocabularies().items():
        spelled = [spelling for word, spellings in words.items() if word != "open" for spelling in spellings]
        assert spelled == [str(word).lower().replace(" ", "") for word in spelled], name
        assert len(spelled) == len(set(spelled)), f"{name}: {sorted({w for w in spelled if spelled.count(w) > 1})}"


def test_patterns_of_titles_are_sound() -> None:
    for table in ("seniority", "department"):
        for entry in load_yaml("titles")[table]:
            for patterns in entry.values():
                assert [pattern for pattern in patterns if not re.compile(pattern)] == []


@pytest.mark.parametrize(
    ("title", "seniority", "department"),
    [
        ("CEO", "c_level", "management"),
        ("副总经理", "vp", "management"),
        ("总经理助理", "staff", "management"),
        ("市场总监", "director", "marketing"),
        ("IT经理", "manager", "it"),
        ("VP of Sales", "vp", "sales"),
        ("采购主管", "manager", "procurement"),
        ("研发工程师", "staff", "rd"),
        ("Head of Marketing", "director", "marketing"),
        ("Chief Information Officer", "c_level", "it"),
        ("Managing Director", "c_level", "management"),
    ],
)
def test_titles_tell_seniority_and_function(title: str, seniority: str, department: str) -> None:
    [row] = parse_titles([title]).to_pylist()
    assert (row["seniority"], row["department"]) == (seniority, department)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("存续（在营、开业、在册）", "active"),
        ("吊销，未注销", "revoked"),
        ("吊销，已注销", "cancelled"),
        ("注销", "cancelled"),
        ("停业", "suspended"),
        ("Active", "active"),
        ("whatever", "unknown"),
    ],
)
def test_company_statuses(text: str, status: str) -> None:
    assert parse_statuses([text])["status"].to_pylist() == [status]


def test_a_touch_that_reads_as_a_refusal_is_one_for_scores_and_credits_too() -> None:
    said = ["退订邮件", "Unsubscribe from list", "Spam complaint", "opted-out", "未退订", "Email Opened", None]
    found = parse_words(said, "touch_type")["word"].to_pylist()
    assert found == ["unsubscribe", "unsubscribe", "complaint", "unsubscribe", "未退订", "email_opened", None]


def test_p03_how_a_list_was_got_is_known_by_the_words_it_contains() -> None:
    ours = [
        "官网表单",
        "Web form",
        "展会信息采集表",
        "公开课报名",
        "注册",
        "registered for the webinar",
        "Purchase enquiry form",
        "Kiosk",
    ]
    bought = [
        "bought",
        "purchased list",
        "Purchased Data 2026",
        "外部购买",
        "外购名单",
        "购买名单",
        "第三方购买",
        "data vendor",
        "购买",
    ]
    scraped = ["爬虫抓取", "scraped", "网络采集", "web crawler", "采集"]
    public = ["公开信息", "网站公开", "public", "publicly available"]
    register = ["工商登记", "public register", "天眼查", "registry"]
    found = parse_words(bought + scraped + public + register, "consent_method")["word"].to_pylist()
    assert found == ["bought"] * 9 + ["scraped"] * 5 + ["public"] * 4 + ["register"] * 4
    told = parse_words(ours, "consent_method")["word"].to_pylist()
    assert not {"bought", "scraped", "public", "register"} & set(told)
    assert not any(tells_no_consent([one]) for one in [*ours, None])
    assert all(tells_no_consent(["form", one]) for one in bought + scraped + public + register)


def test_countries_are_read_in_their_own_language_and_by_their_long_forms() -> None:
    names = {
        "DE": "Deutschland|DEUTSCHLAND|Bundesrepublik Deutschland|Federal Republic of Germany|德國|德意志联邦共和国",
        "US": "United States of America|the United States|U.S.A.|Estados Unidos|美利坚合众国|美國|USA|アメリカ合衆国",
        "FR": "Frankreich|France|Republic of France|Francia|法國",
        "CN": "People's Republic of China|Chine|中國|P.R. China|Китай|中国大陆",
        "TW": "Republic of China|臺灣|台湾",
        "KR": "Republic of Korea|한국|대한민국|韓國",
        "ES": "España|Espana|Kingdom of Spain",
        "AT": "Österreich|Osterreich",
        "CH": "Schweiz|Suisse",
        "NL": "Nederland|the Netherlands",
        "JP": "日本|Japon",
    }
    said = [(code, name) for code, text in names.items() for name in text.split("|")]
    read = parse_countries([name for _, name in said])["country"].to_pylist()
    assert [(code, name, found) for (code, name), found in zip(said, read, strict=True) if found != code] == []
    assert parse_countries(["Atlantis", "某国7", None])["country"].to_pylist() == ["Atlantis", "某国7", None]
