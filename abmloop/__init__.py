"""The kernel that every room may use: the run, settings, errors, calendar, money, messages. It imports none of ours."""

__version__ = "0.1.0"
