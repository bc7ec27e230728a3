"""Rules as data: YAML into frozen, typed policies, all mistakes of a file reported at once with their lines."""

from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from abmloop.errors import BadPolicy
from abmloop.yaml_text import SafeLoader

MAX_BYTES = 1_000_000


class Policy(BaseModel):
    """Base of all policies: frozen, unknown keys are errors. `file_name` is its name in the user's `config/`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    file_name: ClassVar[str] = ""


class Rule(BaseModel):
    """Base of the parts of a policy, with the same strictness."""

    model_config = ConfigDict(frozen=True, extra="forbid")


PolicyT = TypeVar("PolicyT", bound=Policy)
Path_ = tuple[str | int, ...]


def _refuse_aliases(text: str, file_name: str) -> None:
    """Raises BadPolicy where the text uses aliases, which make small texts grow without bound."""
    for event in yaml.parse(text, Loader=SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise BadPolicy(f"{file_name}:{line}: aliases (*name) are not allowed; write the value out")


def _lines(node: yaml.Node | None, path: Path_, lines: dict[Path_, int], faults: list[str], file_name: str) -> None:
    """Fill `lines` with the 1-based line of every key and item; add a fault for every key given twice."""
    if node is None:
        return
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, key.value)
            if inner in lines:
                faults.append(f"{file_name}:{key.start_mark.line + 1}: {_dotted(inner)}: given twice; keep one")
            lines[inner] = key.start_mark.line + 1
            _lines(value, inner, lines, faults, file_name)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            _lines(value, (*path, position), lines, faults, file_name)


def _dotted(path: Path_) -> str:
    """`rules[0].half_life_days` for ("rules", 0, "half_life_days")."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text or "(the file)"


def _line_of(path: Path_, lines: dict[Path_, int]) -> int:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _found(value: Any) -> str:
    return "" if isinstance(value, dict | list) else f" (found {value!r})"


def read_yaml(text: str, file_name: str) -> tuple[Any, dict[Path_, int], list[str]]:
    """The values of a YAML text, the line of each key, and the faults of its form (not of its meaning).

    Raises BadPolicy where the text is no YAML at all, too large, or uses aliases.
    """
    if len(text.encode()) > MAX_BYTES:
        raise BadPolicy(f"{file_name}: larger than {MAX_BYTES:,} bytes; split it or remove what is not a rule")
    lines: dict[Path_, int] = {}
    faults: list[str] = []
    try:
        if "*" in text:
            _refuse_aliases(text, file_name)
        loader = SafeLoader(text)
        node = loader.get_single_node()
        _lines(node, (), lines, faults, file_name)
        value = loader.construct_document(node) if node is not None else {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file_name}:{mark.line + 1}" if mark else file_name
        problem = getattr(error, "problem", None) or error
        raise BadPolicy(f"{where}: not readable as YAML: {problem}") from error
    return value, lines, faults


def parse_policy(text: str, cls: type[PolicyT], file_name: str | None = None) -> PolicyT:
    """The policy that `text` says. Raises BadPolicy with all faults, one a line: `file:line: key: what, found what`."""
    name = file_name or cls.file_name
    value, lines, faults = read_yaml(text, name)
    if not isinstance(value, dict):
        raise BadPolicy(f"{name}:1: expected keys and values, found {type(value).__name__}")
    policy: PolicyT | None = None
    try:
        policy = cls.model_validate(value)
    except ValidationError as error:
        for fault in error.errors():
            path = fault["loc"]
            line = _line_of(path, lines)
            message = fault["msg"].removeprefix("Value error, ")
            if fault["type"] == "extra_forbidden":
                known = ", ".join(_keys_at(cls, path)) or "none"
                message = f"unknown key; known here: {known}"
                faults.append(f"{name}:{line}: {_dotted(path)}: {message}")
            else:
                faults.append(f"{name}:{line}: {_dotted(path)}: {message}{_found(fault.get('input'))}")
    if faults or policy is None:
        raise BadPolicy("\n".join(faults))
    return policy


def _keys_at(cls: type[BaseModel], path: Path_) -> list[str]:
    """The keys a policy knows at the place of `path`'s last part; empty where that cannot be told."""
    model: Any = cls
    for part in path[:-1]:
        if isinstance(part, int):
            continue
        field = getattr(model, "model_fields", {}).get(part)
        model = _model_in(field.annotation) if field else None
    return sorted(getattr(model, "model_fields", {}))


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


def read_policy(path: Path, cls: type[PolicyT]) -> PolicyT:
    """The policy in that file. Raises BadPolicy where it is wrong or not UTF-8."""
    try:
        return parse_policy(path.read_text(encoding="utf-8"), cls, path.name)
    except UnicodeDecodeError as error:
        raise BadPolicy(f"{path.name}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
