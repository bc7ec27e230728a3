"""How a refusal reads, in the words people use, and what it must not swallow."""

import duckdb
import pytest

from abmloop.refusals import READINGS, reads_as

REPLIES = """退订！|TD.|请不要再发了|不需要 谢谢|ＴＤ|【退订】|回复TD退订|拒绝接收|STOP.|Stop please|td退订|T
0000|不要再给我发短信了|请勿打扰|取消订阅|拒收|退訂|no thanks|please stop|Unsubscribe me now please
stop sending me these offers, I have asked twice before|别再发了，烦不烦
我已经退订三次了怎么还在发，再发我就去投诉你们|STOP ALL|not interested|opt-out|T\u200bD|没有退订成功
别发|滚|TD谢谢|不用了""".replace("\n", "|")
NO_REPLIES = """stop by our booth tomorrow|什么价格？|好的|请发资料到我邮箱|我们需要报价|What does it cost?|yes|1|ok
谢谢|end of June suits us well|明天上午可以联系|The standard edition is enough for us
不要发货到公司，送到工厂|取消明天上午的会议，改到周五|no problem, call me tomorrow|tdk""".replace("\n", "|")
REFUSALS = """退订邮件|unsubscribe from list|opted-out|unsubscribe|unsubscribed|opt_out|optout|global_unsubscribe
退订|已退订|取消订阅|group_unsubscribe|勿扰|DNC|别再打电话了|Don't call again|Do Not Contact
客户要求不要再联系|unsub""".replace("\n", "|")
COMPLAINTS = """spam complaint|complaint|spam_report
投诉|marked as spam|spamreport|abuse|spam|垃圾邮件举报|report_spam""".replace("\n", "|")
NEITHER = """未退订|not unsubscribed|never opted out|取消退订|group_resubscribe|email_opened
will adopt outsourcing|无法联系|联系不上|页面浏览|antispam|click|已联系|reply|订阅|subscribe|stopped
contacted""".replace("\n", "|")


def _reads(text: str, reading: str) -> bool:
    found = duckdb.execute(f"select {reads_as('value', reading)} from (select ? as value)", [text]).fetchall()
    return bool(found[0][0])


@pytest.mark.parametrize("text", REPLIES.split("|"))
def test_an_answer_that_refuses_or_is_short_and_unclear_refuses(text: str) -> None:
    assert _reads(text, "reply_refusal")


@pytest.mark.parametrize("text", NO_REPLIES.split("|"))
def test_an_answer_that_only_holds_such_a_word_does_not(text: str) -> None:
    assert not _reads(text, "reply_refusal")


def test_what_tools_and_the_crm_note_is_read_by_the_words_it_contains() -> None:
    assert [text for text in REFUSALS.split("|") if not _reads(text, "refusal")] == []
    assert [text for text in COMPLAINTS.split("|") if not _reads(text, "complaint")] == []


def test_what_is_no_refusal_stays_what_it_is() -> None:
    for reading in ("refusal", "complaint"):
        assert [text for text in NEITHER.split("|") if _reads(text, reading)] == []


def test_nothing_said_reads_as_nothing() -> None:
    for reading in READINGS:
        assert duckdb.execute(f"select {reads_as('null::varchar', reading)}").fetchall() == [(False,)]
