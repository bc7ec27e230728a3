"""Nothing that is shown holds a secret, a number or an address; what only looks like one stays."""

import io
import logging

import pytest

from abmloop.redact import Redacting, redact

ENVIRONMENT = {
    "HUBSPOT_TOKEN": "pat-na1-1234-abcd",
    "ABMLOOP_SUPPRESSION_KEY": "f00dfeedf00dfeed",
    "LANG": "zh_CN.UTF-8",
}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mobile 13800138000 is taken", "mobile 138****8000 is taken"),
        ('{"mobile": "+8613800138000"}', '{"mobile": "+86138****8000"}'),
        ("138 0013 8000, 138-0013-8000; 008613800138000", "138****8000, 138****8000; 0086138****8000"),
        ("call +49 30654648789 or +4917654648789", "call +49 30654648789 or +49176****8789"),
        ("021-55667788", "021****7788"),
        ("Zhang.San@acme.cn, <li+1@x.co.uk>", "Z***@acme.cn, <l***@x.co.uk>"),
        ("key pat-na1-1234-abcd refused", "key *** refused"),
        ("Authorization: Bearer abc.def-12345", "Authorization: *** ***"),
        ("https://x.cn/token?access_token=abcdef&next=1", "https://x.cn/token?access_token=***&next=1"),
        ('"client_secret": "s3cr3t-value"', '"client_secret": "***"'),
    ],
)
def test_what_may_not_be_shown_is_masked(text: str, shown: str) -> None:
    assert redact(text, ENVIRONMENT) == shown


@pytest.mark.parametrize(
    "text",
    [
        "run 20261031080000-1f2e3d4c, 1,234,567 rows in 12.5 s",
        "inbox/companies/list_20260301.csv, line 4182",
        "91310000MA1K35X37Y and 91440300715267264X",
        "lead 0123456789abcdef0123456789abcdef",
        "2026-10-31 08:00:00",
        "zh_CN.UTF-8 token is missing",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert redact(text, ENVIRONMENT) == text


def test_s31_a_log_line_and_its_exception_are_redacted_for_every_handler() -> None:
    shown = io.StringIO()
    logger = logging.Logger("abmloop.test", logging.DEBUG)
    logger.addHandler(logging.StreamHandler(shown))
    logger.addFilter(Redacting())
    try:
        raise ValueError("Could not convert '13800138000'")
    except ValueError:
        logger.debug("row of %s failed", "zhang.san@acme.cn", exc_info=True)
    text = shown.getvalue()
    assert "row of z***@acme.cn failed" in text and "ValueError: Could not convert '138****8000'" in text
    assert "13800138000" not in text
