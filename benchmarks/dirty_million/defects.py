"""The defects a row can carry: in which column, by which line of the catalogue, and what must become of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

Effect = Literal["reject_row", "null_value", "repair", "flag"]
# (the sound value, a number of its own) → the spoilt value
Spoil = Callable[[str, int], str]

FULL_WIDTH = str.maketrans(
    "0123456789ABCDEFGHJKLMNPQRTUWXY", "０１２３４５６７８９ＡＢＣＤＥＦＧＨＪＫＬＭＮＰＱＲＴＵＷＸＹ"
)


@dataclass(frozen=True)
class Defect:
    """One kind. `told_as` is the column quality tells of, where that is another; `also` spoils a second column."""

    entity: str
    column: str
    catalogue: str
    rule: str
    effect: Effect
    spoil: Spoil
    told_as: str | None = None
    also: tuple[str, str] | None = None
    is_common: bool = False

    @property
    def name(self) -> str:
        """Names the kind in what is printed."""
        return f"{self.entity}.{self.column} {self.rule}"


def _spread(*texts: str) -> Spoil:
    """One of these texts, by number."""
    return lambda _, n: texts[n % len(texts)]


def _digits(n: int, width: int) -> str:
    """Digits that follow from a number without looking like a run."""
    return f"{(n * 7_368_787 + 5_104_729) % 9_999_991 % 10**width:0{width}d}"


def _person_id(_: str, n: int) -> str:
    body = f"110105{1950 + n % 50}{n % 12 + 1:02d}{n % 28 + 1:02d}{n % 999 + 1:03d}"
    check = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(body)) % 11
    return body + "10X98765432"[check]


def _card(n: int) -> str:
    """A bank card that closes by Luhn."""
    body = f"62220212{_digits(n, 7)}"
    total = sum(sum(divmod(int(digit) * (1 + (place + 1) % 2), 10)) for place, digit in enumerate(body[::-1]))
    return f"{body}{-total % 10}"


def _wrong_check(code: str, n: int) -> str:
    other = "0123456789ABCDEFGHJKLMNPQRTUWXY".replace(code[-1], "")
    return code[:-1] + other[n % 30]


def _email(_: str, n: int) -> tuple[str, str]:
    return f"li.lei{n}", f"firma{n}.com.cn"


_PLACEHOLDER = _spread("无", "暂无", "-", "N/A", "null", "未知", "详见", "xxx", "测试")


def _codes(entity: str) -> list[Defect]:
    def code(rule: str, effect: Effect, catalogue: str, spoil: Spoil) -> Defect:
        return Defect(entity, "uscc", catalogue, rule, effect, spoil)

    return [
        code("code-placeholder", "null_value", "V09", _PLACEHOLDER),
        code("code-formatted", "repair", "V18", lambda value, _: f"{value[:8]} {value[8:].lower()}"),
        code("code-formatted", "repair", "V18", lambda value, _: value.translate(FULL_WIDTH)),
        code("code-letters", "repair", "V18", lambda value, _: value[:2] + value[2:8].replace("0", "O") + value[8:]),
        code("code-characters", "null_value", "V18", lambda value, n: value[:9] + "SZV"[n % 3] + value[10:]),
        code("code-length", "null_value", "V18", lambda value, n: value[:-1] if n % 2 else value + "7"),
        code("code-checksum", "null_value", "V18", _wrong_check),
        code("code-rounded", "null_value", "V19", lambda _, n: f"91440300{_digits(n, 7)}000"),
        code("code-scientific", "null_value", "V19", lambda _, n: f"9.1{_digits(n, 5)}E+17"),
        code("code-person-id", "null_value", "V20", _person_id),
        code("code-unknown", "null_value", "V20", lambda _, n: f"X-{_digits(n, 5)}-Q"),
    ]


def _phones(entity: str, column: str) -> list[Defect]:
    def phone(rule: str, effect: Effect, catalogue: str, spoil: Spoil) -> Defect:
        return Defect(entity, column, catalogue, rule, effect, spoil)

    return [
        phone("phone-scientific", "null_value", "V01", lambda _, n: f"1.{_digits(n, 2 + n % 6)}E+10"),
        phone("phone-spreadsheet", "repair", "V02", lambda _, n: f"1381{_digits(n, 7)}.0"),
        phone(
            "phone-spreadsheet",
            "repair",
            "V02",
            lambda _, n: f"'1381{_digits(n, 7)}" if n % 2 else f'="1381{_digits(n, 7)}"',
        ),
        phone("phone-lost-zero", "flag", "V03", lambda _, n: f"21 5{_digits(n, 7)}"),
        phone("phone-no-area", "flag", "V03", lambda _, n: f"5{_digits(n, 7)}"),
        phone("phone-letters", "repair", "V04", lambda _, n: f"139O{_digits(n, 7)}"),
        phone("phone-part-refused", "repair", "V05", lambda value, n: f"{value}；{200 + n % 700}"),
        phone(
            "phone-unreachable", "null_value", "V06", lambda _, n: f"1064{n % 8}{_digits(n, 7)}" if n % 2 else "95588"
        ),
        phone("phone-invalid", "null_value", "V06", lambda _, n: f"{200 + n % 700}"),
        phone("phone-masked", "null_value", "V07", lambda value, n: f"{value[:3]}****{n % 9000 + 1000}"),
        phone(
            "phone-fake", "null_value", "V07", lambda _, n: f"13{n % 10}" + _spread("00000000", "12345678")("", n // 10)
        ),
        phone("phone-placeholder", "null_value", "V09", _PLACEHOLDER),
    ]


def _emails(entity: str) -> list[Defect]:
    def mail(rule: str, effect: Effect, catalogue: str, spoil: Spoil) -> Defect:
        return Defect(entity, "email", catalogue, rule, effect, spoil)

    return [
        mail("email-placeholder", "null_value", "V09", _spread("无", "a@a.com", "-", "test@test.com", "n/a")),
        mail("email-domain-typo", "null_value", "V10", lambda _, n: f"li{n}@" + _spread("qq.con", "163.cm")("", n)),
        mail("email-invalid", "null_value", "V10", lambda _, n: _spread(f"li{n}", f"li{n}@", f"li{n}@firma")("", n)),
        mail(
            "email-mended",
            "repair",
            "V10",
            lambda _, n: "@".join(_email("", n)).replace(".com", _spread(",com", "..com")("", n)),
        ),
        mail("email-part-refused", "repair", "V10", lambda value, n: f"{value}；li{n}@firma"),
        mail("email-look-alike", "null_value", "V13", lambda _, n: f"li{n}@pаy{n}.com"),
    ]


def _dates(entity: str, column: str, effect: Effect) -> list[Defect]:
    def day(rule: str, catalogue: str, spoil: Spoil) -> Defect:
        return Defect(entity, column, catalogue, rule, effect, spoil)

    return [
        day("date-placeholder", "V09", _PLACEHOLDER),
        day("date-open-ended", "V21", _spread("长期", "永久", "至今")),
        day("date-empty", "V21", _spread("0000-00-00", "1900-01-00", "9999-12-31")),
        day("date-ambiguous", "V21", lambda _, n: f"{n % 5 + 1}/{n % 6 + 6}/{2000 + n % 20}"),
        day("date-two-digit-year", "V21", lambda _, n: f"{n % 12 + 1}/{n % 28 + 1}/{10 + n % 15}"),
        day("date-before-1900", "V22", lambda _, n: f"18{n % 90 + 10}-05-0{n % 9 + 1}"),
        day(
            "date-impossible",
            "V21",
            lambda _, n: f"{2000 + n % 24}-{_spread('02-30', '04-31', '13-01', '06-31')('', n)}",
        ),
        day("date-unreadable", "V21", lambda _, n: f"某日{n}"),
    ]


def _amounts(entity: str, column: str, effect: Effect, prefix: str = "amount") -> list[Defect]:
    def amount(rule: str, spoil: Spoil) -> Defect:
        return Defect(entity, column, "V23", f"{prefix}-{rule}", effect, spoil)

    return [
        amount("placeholder", _PLACEHOLDER),
        amount("two-readings", lambda _, n: f"{n % 90 + 10},{n % 9000 + 1000}"),
        amount("per-unit", lambda _, n: f"{n + 100}元/" + _spread("台", "人", "次")("", n)),
        amount("unreadable", lambda _, n: f"{n + 10}" + _spread("箱", "筐", "abcd")("", n)),
    ]


def _company(column: str, catalogue: str, rule: str, effect: Effect, spoil: Spoil) -> Defect:
    return Defect("companies", column, catalogue, rule, effect, spoil)


def _companies() -> list[Defect]:
    return [
        *_company_names(),
        *_company_values(),
        *_company_texts(),
        *_company_places(),
        *_company_commons(),
        *_company_rows(),
    ]


def _company_names() -> list[Defect]:
    return [
        _company("source_id", "V01", "id-scientific", "null_value", lambda _, n: f"1.{_digits(n, 5)}E+11"),
        _company("source_id", "V09", "id-placeholder", "null_value", _spread("无", "-", "N/A", "null")),
        _company("source_id", "V02", "id-spreadsheet", "repair", lambda value, _: f"'{value}"),
        _company("name", "V09", "name-placeholder", "null_value", _PLACEHOLDER),
        _company("name", "F05", "name-mojibake", "flag", lambda value, _: "锟斤拷" + value),
        _company("name", "V13", "name-mixed-script", "flag", lambda _, n: f"Аcme{n} Trading Ltd"),
        _company("name", "V30", "name-sensitive", "null_value", lambda value, n: f"{value} {_person_id('', n)}"),
    ]


def _company_values() -> list[Defect]:
    return [
        _company("founded_on", "V21", "date-serial", "repair", lambda _, n: f"{36_000 + n % 9000}"),
        _company("founded_on", "V21", "date-epoch", "repair", lambda _, n: f"{1_000_000_000 + n * 777}"),
        _company("founded_on", "V21", "date-without-month", "repair", lambda _, n: f"{1990 + n % 30}"),
        _company("founded_on", "V21", "date-without-day", "repair", lambda _, n: f"{1990 + n % 30}年{n % 12 + 1}月"),
        _company("founded_on", "V22", "date-founded-in-future", "null_value", lambda _, n: f"20{30 + n % 50}-01-05"),
        _company("employees", "V09", "employees-placeholder", "null_value", _PLACEHOLDER),
        _company("employees", "V25", "employees-unreadable", "null_value", lambda _, n: f"{n}条船"),
        _company("status", "V25", "status-unknown", "flag", lambda _, n: f"状态{n}"),
        _company("industry", "V26", "industry-unknown", "flag", lambda _, n: f"第{n}类"),
        _company("country", "V26", "country-unknown", "flag", lambda _, n: f"某国{n}"),
        _company("website", "V09", "domain-placeholder", "null_value", _PLACEHOLDER),
        _company("website", "V12", "domain-invalid", "null_value", lambda _, n: f"firma{n}"),
        _company("website", "V13", "domain-look-alike", "null_value", lambda _, n: f"www.pаy{n}.com"),
        _company("address", "V09", "text-placeholder", "null_value", _PLACEHOLDER),
    ]


def _company_texts() -> list[Defect]:
    def text(catalogue: str, rule: str, effect: Effect, spoil: Spoil) -> Defect:
        return _company("scope", catalogue, f"text-{rule}", effect, spoil)

    return [
        text("V09", "placeholder", "null_value", _PLACEHOLDER),
        text("V09", "same-as-above", "null_value", _spread("同上", "ditto")),
        text("V14", "empty", "null_value", _spread("\u200b", "\u2060", "\u3000\u200b")),
        text("V14", "invisible-characters", "repair", lambda value, n: f"{value}\u200b{n}"),
        text("V13", "mixed-script", "flag", lambda _, n: f"Mаnager {n}"),
        text("F05", "mojibake", "flag", lambda value, _: value + "锟斤拷"),
        text("V30", "sensitive", "null_value", lambda _, n: f"身份证{_person_id('', n)}"),
        text("V30", "sensitive", "null_value", lambda _, n: f"卡 {_card(n)}"),
        text("V30", "sensitive", "null_value", lambda _, n: f"密码：a{n}"),
        text("V30", "sensitive", "null_value", lambda _, n: f"{n} 号客户身患重病"),
        Defect("companies", "备注", "V30", "text-sensitive", "flag", lambda _, n: f"口令:{n}", "extra.备注"),
    ]


def _company_places() -> list[Defect]:
    def elsewhere(value: str, _: int) -> str:
        return "海南省" if value.startswith("新疆") else "新疆维吾尔自治区"

    return [
        Defect("companies", "district", "V26", "place-partly-known", "flag", lambda _, n: f"{n}区", "province"),
        _company("province", "V26", "place-conflict", "flag", elsewhere),
    ]


def _company_commons() -> list[Defect]:
    def common(column: str, catalogue: str, rule: str, value: str, effect: Effect = "null_value") -> Defect:
        return Defect("companies", column, catalogue, f"{rule}-too-common", effect, lambda *_: value, is_common=True)

    return [
        common("phone", "V07", "phone", "0755-26012345"),
        common("email", "V09", "email", "x@agent.com.cn"),
        common("website", "V09", "domain", "www.agent.com.cn"),
        common("uscc", "V09", "code", "91350100M000100Y43"),
        common("address", "V09", "address", "前海深港合作区前湾一路1号A栋201室", "flag"),
    ]


def _company_rows() -> list[Defect]:
    def keyless(catalogue: str, code: str) -> Defect:
        return Defect("companies", "name", catalogue, "row-without-key", "reject_row", _PLACEHOLDER, "", ("uscc", code))

    return [
        keyless("V09", "无"),
        keyless("V18", "9144030071526726X"),
        Defect("companies", "scope", "F08", "ragged", "reject_row", lambda value, _: value, ""),
        Defect("companies", "scope", "F10", "control_character", "reject_row", lambda value, n: f"{value}\x01{n}"),
    ]


def _others() -> list[Defect]:
    contact = "contacts"
    return [
        Defect(
            contact,
            "created_at",
            "V21",
            "date-without-day",
            "null_value",
            lambda _, n: f"{2010 + n % 15}年{n % 12 + 1}月",
        ),
        Defect(contact, "mobile", "V09", "row-without-key", "reject_row", _PLACEHOLDER, "", ("email", "无")),
        Defect(
            contact,
            "mobile",
            "V01",
            "row-without-key",
            "reject_row",
            lambda _, n: f"1.{_digits(n, 2)}E+10",
            "",
            ("email", "-"),
        ),
        Defect(contact, "title", "V30", "text-sensitive", "null_value", lambda _, n: f"密码:{n}"),
        Defect(contact, "mobile", "V07", "phone-too-common", "null_value", lambda *_: "13912345670", is_common=True),
        Defect(contact, "company_name", "F05", "name-mojibake", "flag", lambda value, _: value + "锟斤拷"),
        Defect(
            "touches",
            "occurred_at",
            "V21",
            "date-without-day",
            "reject_row",
            lambda _, n: f"{2010 + n % 15}年{n % 12 + 1}月",
        ),
        Defect("touches", "occurred_at", "V22", "date-in-future", "flag", lambda _, n: f"20{30 + n % 50}-01-05 10:00"),
        Defect("touches", "minutes", "V25", "number-unreadable", "null_value", lambda _, n: f"{n}顿饭"),
        Defect("payments", "currency", "V24", "currency-unknown", "null_value", lambda _, n: f"金条{n}"),
        Defect("payments", "payment_id", "V09", "id-placeholder", "reject_row", _spread("无", "-", "N/A")),
        Defect("payments", "payment_id", "V01", "id-scientific", "reject_row", lambda _, n: f"2.{_digits(n, 5)}E+11"),
        Defect("deals", "probability", "V25", "share-out-of-range", "null_value", lambda _, n: f"{101 + n % 800}%"),
        Defect(
            "deals", "closed_at", "V22", "date-closed-before-created", "flag", lambda _, n: f"19{50 + n % 40}-03-01"
        ),
        Defect("consents", "status", "V25", "word-unknown", "reject_row", lambda _, n: f"也许{n}"),
        Defect("consents", "channel", "V09", "word-placeholder", "reject_row", _spread("无", "-", "未知")),
    ]


DEFECTS: Final[tuple[Defect, ...]] = (
    *_companies(),
    *_codes("companies"),
    *_phones("companies", "phone"),
    *_emails("companies"),
    *_dates("companies", "founded_on", "null_value"),
    *_amounts("companies", "registered_capital", "null_value"),
    *_amounts("companies", "revenue", "null_value", "revenue"),
    *_others(),
    *_phones("contacts", "mobile"),
    *_emails("contacts"),
    *_dates("touches", "occurred_at", "reject_row"),
    *_dates("payments", "paid_on", "reject_row"),
    *_amounts("payments", "amount", "reject_row"),
    *_amounts("deals", "amount", "reject_row"),
)
