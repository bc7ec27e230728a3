"""Whether requests keep to a published OpenAPI description: path, method, query, and every field of the body."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft4Validator

_HTTP = "application/json"


@dataclass(frozen=True)
class Call:
    """One request as it was sent."""

    method: str
    target: str
    body: bytes | None


def load_descriptions(folder: Path) -> list[dict[str, Any]]:
    """Every description in a folder."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def faults(call: Call, descriptions: list[dict[str, Any]]) -> list[str]:
    """What a description does not allow of a request; empty where it keeps to one."""
    path = urlsplit(call.target).path
    found: list[str] = [f"no description has {call.method} {path}"]
    for description in descriptions:
        for template, methods in description["paths"].items():
            pattern = re.sub(r"\\\{[^/{}]+\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path) and call.method.lower() in methods:
                found = list(_of_operation(call, methods[call.method.lower()], description))
                if not found:
                    return []
    return found


def _of_operation(call: Call, operation: dict[str, Any], description: dict[str, Any]) -> Iterator[str]:
    declared = {one["name"]: one for one in operation.get("parameters", []) if one["in"] == "query"}
    given = dict(parse_qsl(urlsplit(call.target).query))
    yield from (f"query parameter {name} is not declared" for name in sorted(given.keys() - declared.keys()))
    needed = {name for name, one in declared.items() if one.get("required")}
    yield from (f"query parameter {name} is missing" for name in sorted(needed - given.keys()))
    if "requestBody" not in operation:
        if call.body:
            yield "it takes no body"
        return
    schema = operation["requestBody"]["content"][_HTTP]["schema"]
    body = json.loads(call.body or b"null")
    whole = {**schema, "components": description["components"]}
    for error in Draft4Validator(whole).iter_errors(body):
        yield f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
    yield from _undeclared(body, schema, description["components"]["schemas"], "")


def _undeclared(body: Any, schema: dict[str, Any], known: dict[str, Any], place: str) -> Iterator[str]:
    """Fields that the schema does not name, where it names any."""
    if "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    if isinstance(body, list):
        for number, one in enumerate(body):
            yield from _undeclared(one, schema.get("items", {}), known, f"{place}/{number}")
    if isinstance(body, dict) and "properties" in schema:
        for name, value in body.items():
            if name not in schema["properties"]:
                yield f"{place}/{name} is not declared"
            else:
                yield from _undeclared(value, schema["properties"][name], known, f"{place}/{name}")
