"""The report for people who do not log in: one HTML file per language, charts inside, nothing fetched."""

from tasks.report.page import report

__all__ = ["report"]
