"""How each vendor's interface takes and answers calls, as far as it is documented."""

from tests.contract.server.dialects.base import Dialect
from tests.contract.server.dialects.fxiaoke import Fxiaoke
from tests.contract.server.dialects.hubspot import HubSpot
from tests.contract.server.dialects.neocrm import NeoCrm
from tests.contract.server.dialects.salesforce import Salesforce

DIALECTS: dict[str, type[Dialect]] = {
    "hubspot": HubSpot,
    "salesforce": Salesforce,
    "fxiaoke": Fxiaoke,
    "neocrm": NeoCrm,
}

__all__ = ["DIALECTS", "Dialect"]
