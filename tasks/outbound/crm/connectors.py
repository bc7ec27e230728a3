"""Which connector serves an instance. A new one is a module beside `files` and a line here."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from abmloop.errors import BadPolicy
from scoring.policies.crm import CrmPolicy
from tasks.outbound.crm.base import Connector
from tasks.outbound.crm.files import FilesConnector

_CONNECTORS: dict[str, Callable[[Path, CrmPolicy, date], Connector]] = {"files": FilesConnector}


def open_connector(root: Path, policy: CrmPolicy, as_of: date) -> Connector:
    """The connector of the policy's instance. Raises BadPolicy for a kind that is not there."""
    kind = _CONNECTORS.get(policy.connector)
    if kind is None:
        raise BadPolicy(f"crm.yaml: instance: no connector {policy.connector!r}; there are {', '.join(_CONNECTORS)}")
    return kind(root, policy, as_of)
