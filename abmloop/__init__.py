"""The kernel that every room may use: the run, settings, errors, calendar, money, messages. It imports none of ours."""

import logging

from abmloop.redact import Redacting

__version__ = "0.1.0"

logging.getLogger("abmloop").addFilter(Redacting())
