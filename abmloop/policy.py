"""Rules as data: YAML into frozen, typed policies, all mistakes of a file reported at once with their lines."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from abmloop.errors import BadPolicy
from abmloop.messages import said, together
from abmloop.validation import problem_of
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
            raise BadPolicy(said("policy_aliases", file=file_name, line=line))


def _lines(node: yaml.Node | None, path: Path_, lines: dict[Path_, int], faults: list[str], file_name: str) -> None:
    """Fill `lines` with the 1-based line of every key and item; add a fault for every key given twice."""
    if node is None:
        return
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, key.value)
            if inner in lines:
                faults.append(_fault(file_name, key.start_mark.line + 1, inner, said("policy_given_twice")))
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
    return text or said("policy_whole_file")


def _line_of(path: Path_, lines: dict[Path_, int]) -> int:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _fault(file_name: str, line: int, path: Path_, problem: str) -> str:
    return said("policy_fault_line", file=file_name, line=line, key=_dotted(path), problem=problem)


def _found(problem: str, value: Any) -> str:
    return problem if isinstance(value, dict | list) else said("policy_found", problem=problem, value=value)


def read_yaml(text: str, file_name: str) -> tuple[Any, dict[Path_, int], list[str]]:
    """The values of a YAML text, the line of each key, and the faults of its form (not of its meaning).

    Raises BadPolicy where the text is no YAML at all, too large, or uses aliases.
    """
    if len(text.encode()) > MAX_BYTES:
        raise BadPolicy(said("policy_too_large", file=file_name, limit=f"{MAX_BYTES:,}"))
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
        problem = getattr(error, "problem", None) or error
        if mark is None:
            raise BadPolicy(said("policy_not_yaml", file=file_name, problem=problem)) from error
        place = {"file": file_name, "line": mark.line + 1}
        raise BadPolicy(said("policy_not_yaml_line", problem=problem, **place)) from error
    return value, lines, faults


def parse_policy(
    text: str, cls: type[PolicyT], file_name: str | None = None, changes: Mapping[str, str] = MappingProxyType({})
) -> PolicyT:
    """The policy that `text` says. Raises BadPolicy with all faults, one a line: `file:line: key: what, found what`.

    `changes`: dotted key → value as YAML, put in place of what the text says; an item of a list is named by its id or
    its place. A fault of a changed key is told of the key, not of a line.
    """
    name = file_name or cls.file_name
    return _parsed(text, cls, name) if not changes else _parse(text, cls, name, changes)


@lru_cache(maxsize=128)
def _parsed(text: str, cls: type[PolicyT], name: str) -> PolicyT:
    """The same policy for the same text: every step of a run asks for its own, and none can change it."""
    return _parse(text, cls, name, MappingProxyType({}))


def _parse(text: str, cls: type[PolicyT], name: str, changes: Mapping[str, str]) -> PolicyT:
    value, lines, faults = read_yaml(text, name)
    if not isinstance(value, dict):
        raise BadPolicy(said("policy_no_keys", file=name, found=type(value).__name__))
    changed = [_change(value, key, given, faults) for key, given in changes.items()]
    if changed and () in changed:
        raise BadPolicy(together(said("policy_fault_of_set", file=name, problem=fault) for fault in faults))
    policy: PolicyT | None = None
    try:
        policy = cls.model_validate(value)
    except ValidationError as error:
        for fault in error.errors():
            path = fault["loc"]
            problem = _problem(cls, fault)
            if any(path[: len(place)] == place for place in changed):
                faults.append(said("policy_fault_set", file=name, key=_dotted(path), problem=problem))
            else:
                faults.append(_fault(name, _line_of(path, lines), path, problem))
    if faults or policy is None:
        raise BadPolicy(together(faults))
    return policy


def _problem(cls: type[BaseModel], fault: Mapping[str, Any]) -> str:
    """What is wrong with a value, and which it is; of a key that nobody knows, which are known there."""
    if fault["type"] != "extra_forbidden":
        return _found(problem_of(fault), fault.get("input"))
    known = _keys_at(cls, fault["loc"])
    return said("policy_unknown_key" if known else "policy_unknown_key_none", known=", ".join(known))


def _change(value: dict[Any, Any], key: str, text: str, faults: list[str]) -> Path_:
    """Put what is said under the dotted key; gives its path, () with a fault where there is no such place."""
    try:
        given, *_ = read_yaml(text, "set")
    except BadPolicy:
        faults.append(said("policy_set_not_yaml", key=key, given=text))
        return ()
    parts = key.strip().split(".")
    place: Any = value
    path: Path_ = ()
    for depth, part in enumerate(parts):
        if isinstance(place, list):
            names = [item.get("id") if isinstance(item, dict) else None for item in place]
            found: Any = names.index(part) if part in names else int(part) if part.isdecimal() else len(place)
            if found >= len(place):
                known_items = ", ".join(str(name) for name in names)
                faults.append(said("policy_set_no_item", key=key, part=part, known=known_items))
                return ()
        elif isinstance(place, dict):
            found = next((known for known in place if str(known) == part), int(part) if part.isdecimal() else part)
        else:
            faults.append(said("policy_set_is_value", key=key, place=".".join(parts[:depth])))
            return ()
        path = (*path, found)
        if depth == len(parts) - 1:
            place[found] = given
        else:
            place = place[found] if isinstance(place, list) else place.setdefault(found, {})
    return path


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
        raise BadPolicy(said("policy_not_utf_8", file=path.name, byte=error.start)) from error
