"""What the platforms publish of their formats comes out of our functions; what must not be hashed is not."""

import pytest

from scoring.audiences.identifiers import (
    email_faults,
    google_emails,
    google_names,
    google_phones,
    google_postcodes,
    linkedin_emails,
    md5_hex,
    phone_faults,
    sha256_hex,
    tencent_phones,
)

# developers.google.com/data-manager/api/devguides/concepts/formatting
GOOGLE_MAIL = {
    "cloudy.sanfrancisco+shopping@gmail.com": "cloudysanfrancisco@gmail.com",
    "user.name+NYC@Example.com": "user.name+nyc@example.com",
    "  Jefferson.Loves.Hiking@GoogleMail.com ": "jeffersonloveshiking@googlemail.com",
}
# developers.e.qq.com/docs/audience_management/file: before and after MD5
TENCENT_MD5 = {
    "a000002c9060f7": "f2d5a650733ca8c27d502b1c08da14e5",
    "FF1999CD-7177-4937-A474-74937A102630": "2c010ed96aef2fc34983e1e7e9176b7e",
    "020000000000": "e3f5536a141811db40efd6400f1d0a4e",
}


def test_p42_google_addresses_as_published() -> None:
    assert google_emails(list(GOOGLE_MAIL)).to_pylist() == list(GOOGLE_MAIL.values())


def test_p42_google_hashes() -> None:
    given = google_emails([" Test@Example.com ", "User.Name+tag@Gmail.com"])
    assert sha256_hex(given).to_pylist() == [
        "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b",
        "f7976af5cad49504523379918222f1da1c1e231cd5d0770603c3e71e5e30e030",
    ]


def test_p42_google_numbers_bear_their_country() -> None:
    given = google_phones(["138 0013 8001", "+1 (800) 555-0100", "+49 176 54648789"])
    assert given.to_pylist() == ["+8613800138001", "+18005550100", "+4917654648789"]
    assert sha256_hex(given).to_pylist()[2] == "e45d8b1a608ae4a6ed5c805c2d3c03f0b1195ee333bb2dee4782bf38362e4218"


def test_p42_google_names_lose_titles_and_case_and_postcodes_are_not_hashed() -> None:
    names = google_names([" Mrs. Joanna", "Smith Jr.", "Pérez", "张"])
    assert names.to_pylist() == ["joanna", "smith", "pérez", "张"]
    assert google_postcodes(["94016-1234", " 94016-1234", "101300"], ["US", "DE", "CN"]).to_pylist() == [
        "94016-1234",
        "94016",
        "101300",
    ]


def test_p42_linkedin_addresses_keep_dots_and_plus() -> None:
    given = linkedin_emails(["  Zhang.San+ABM@Gmail.com "])
    assert given.to_pylist() == ["zhang.san+abm@gmail.com"]
    assert sha256_hex(linkedin_emails(["TEST@example.com"])).to_pylist() == [
        "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"
    ]


def test_p42_tencent_numbers_are_eleven_bare_digits() -> None:
    given = tencent_phones(["+8613800138001", "0086 138 0013 8001", "+18005550100", "021-55667788"])
    assert given.to_pylist() == ["13800138001", "13800138001", None, None]
    assert sha256_hex(given).to_pylist()[0] == "b0da6e942b8a0642f9cc9b50eb36dffcf183891ed237decc9efd6d6b84902116"


def test_p42_tencent_md5_as_published() -> None:
    assert md5_hex(list(TENCENT_MD5)).to_pylist() == list(TENCENT_MD5.values())


def test_p42_one_number_is_another_hash_on_every_platform() -> None:
    number = ["+8613800138001"]
    made = [sha256_hex(google_phones(number)), sha256_hex(tencent_phones(number)), md5_hex(tencent_phones(number))]
    assert len({column.to_pylist()[0] for column in made}) == 3


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("", "none"),
        (None, "none"),
        ("无", "invalid"),
        ("a@b", "invalid"),
        ("zhang@qq.con", "invalid"),
        ("info@acme.cn", "role"),
        ("x@mailinator.com", "disposable"),
        ("973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b", "hashed"),
        ("55502f40dc8b7c769880b10874abc9d0", "hashed"),
        ("Zhang.San@acme.cn", None),
    ],
)
def test_p43_addresses_that_are_never_hashed(value: str | None, fault: str | None) -> None:
    assert email_faults([value]).to_pylist() == [fault]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("", "none"),
        (None, "none"),
        ("138****8000", "masked"),
        ("13800000000", "invalid"),
        ("12345678901", "invalid"),
        ("1.38E+10", "invalid"),
        ("+862155667788", "not_a_mobile"),
        ("4008001234", "not_a_mobile"),
        ("b0da6e942b8a0642f9cc9b50eb36dffcf183891ed237decc9efd6d6b84902116", "hashed"),
        ("+8613800138001", None),
        ("+14155550132", None),
    ],
)
def test_p43_numbers_that_are_never_hashed(value: str | None, fault: str | None) -> None:
    assert phone_faults([value]).to_pylist() == [fault]
