"""Which connector serves an instance. A new one is a module beside `files` and a line here."""

from collections.abc import Callable
from datetime import date
from importlib import import_module
from pathlib import Path

from abmloop.errors import BadPolicy
from abmloop.messages import said
from scoring.policies.crm import CrmPolicy
from tasks.outbound.crm.base import Connector
from tasks.outbound.crm.files import FilesConnector

# Kind → class of its module; only the one in use is imported.
_VENDORS: dict[str, tuple[str, str]] = {
    "hubspot": ("tasks.outbound.crm.hubspot", "HubSpotConnector"),
    "salesforce": ("tasks.outbound.crm.salesforce", "SalesforceConnector"),
    "fxiaoke": ("tasks.outbound.crm.fxiaoke", "FxiaokeConnector"),
    "neocrm": ("tasks.outbound.crm.neocrm", "NeoCrmConnector"),
    "tryton": ("tasks.outbound.crm.tryton", "TrytonConnector"),
}
KINDS: tuple[str, ...] = ("files", *_VENDORS)


def vendor_class(kind: str) -> Callable[..., Connector]:
    """The class of a vendor's connector."""
    module, name = _VENDORS[kind]
    made: Callable[..., Connector] = getattr(import_module(module), name)
    return made


def open_connector(root: Path, policy: CrmPolicy, as_of: date) -> Connector:
    """The connector of the policy's instance. Raises BadPolicy for a kind that is not there."""
    if policy.connector == "files":
        return FilesConnector(root, policy, as_of)
    if policy.connector not in _VENDORS:
        raise BadPolicy(said("crm_no_connector", kind=policy.connector, known=", ".join(KINDS)))
    return vendor_class(policy.connector)(policy)
