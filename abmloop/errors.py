"""The few kinds of error, each with the exit code of the command line. A message says what, where, and what to do."""

from typing import ClassVar


class AbmError(Exception):
    """Base of our errors; alone it is a defect of ours."""

    exit_code: ClassVar[int] = 70

    @property
    def message(self) -> str:
        """What it says: still in either language where it was `said` (abmloop/messages)."""
        return self.args[0] if self.args and isinstance(self.args[0], str) else str(self)

    def told(self, language: str) -> str:
        """What it says in that language where it was `said`; else as it is."""
        told: str = getattr(self.message, "told", lambda _: str(self))(language)
        return told


class BadUsage(AbmError):
    """The command or its arguments cannot be carried out as given."""

    exit_code = 2


class BadPolicy(BadUsage):
    """A settings or rules file is wrong; the message names every fault with file, line and key."""


class BadFile(AbmError):
    """An input file is refused as a whole; the message names the file and the way to mend it."""

    exit_code = 1


class BadRow(AbmError):
    """A row cannot be used; the message names file, sheet, line and column."""

    exit_code = 1


class GateFailed(AbmError):
    """A quality gate stopped the run before anything was published or pushed."""

    exit_code = 3


class CrmError(AbmError):
    """The CRM refused or cannot be reached. `retry` says whether trying again may help."""

    exit_code = 4
    retry: ClassVar[bool] = False


class CrmRefused(CrmError):
    """The CRM looked at the request and said no."""


class CrmUnreachable(CrmError):
    """The CRM did not answer, or not so that the answer can be trusted."""

    retry = True


class Busy(AbmError):
    """Another run holds the warehouse."""

    exit_code = 5
