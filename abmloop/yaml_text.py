"""Reading our own YAML: the safe loader in C, ten times as fast as the one in Python where libyaml is there."""

from typing import Any

import yaml

SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(text: str) -> Any:
    """The values of a YAML text of ours; never builds objects. Raises yaml.YAMLError."""
    return yaml.load(text, Loader=SafeLoader)  # noqa: S506 - a safe loader, in C
