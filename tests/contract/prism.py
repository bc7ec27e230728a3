"""Prism, a public mock server (npm, @stoplight/prism-cli), between a connector and the fake CRM.

As a proxy it holds every request, and every answer of the fake, against the published description, and says what it
finds in the header `sl-violations` of the answer. It is not of this repository: docs/connectors.md says how to have it.
"""

import json
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

LONGEST_START_SECONDS = 60


def merged(descriptions: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Several descriptions (name → document) as one: the names of their components get the document's before them.

    Prism takes an example of null for an answer, and no error of any media type: both are written as it reads them.
    """
    whole: dict[str, Any] = {
        "openapi": "3.0.1",
        "info": {"title": "merged", "version": "1"},
        "paths": {},
        "components": {"schemas": {}, "responses": {}, "securitySchemes": {}},
    }
    for name, document in sorted(descriptions.items()):
        text = json.dumps(document).replace('"*/*":', '"application/json":')
        for kind, parts in document.get("components", {}).items():
            if kind != "securitySchemes":
                for part in parts:
                    path = f"#/components/{kind}/"
                    text = text.replace(f'"{path}{part}"', f'"{path}{name}_{part}"')
        renamed = _without_null_examples(json.loads(text))
        for path, operations in renamed["paths"].items():
            whole["paths"].setdefault(path, operations)
        for kind, parts in renamed.get("components", {}).items():
            prefix = "" if kind == "securitySchemes" else f"{name}_"
            whole["components"].setdefault(kind, {}).update({f"{prefix}{part}": one for part, one in parts.items()})
    return whole


def _without_null_examples(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_null_examples(one) for one in value]
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if not (name == "example" and one is None)}
        return {name: _without_null_examples(one) for name, one in kept.items()}
    return value


@contextmanager
def prism_before(command: str, document: Path, upstream: str) -> Iterator[str]:
    """The address of a Prism that hands every call on to `upstream`; it ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [*shlex.split(command), "proxy", str(document), upstream, "--port", str(port), "--host", "127.0.0.1"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + LONGEST_START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return
        time.sleep(0.2)
    raise AssertionError(f"Prism did not start (exit code {process.poll()})")


def violations(told: str) -> list[tuple[str, str, str]]:
    """What Prism says in one header: request or response, the place (numbers as N), and the message."""
    found = []
    for one in json.loads(told):
        whose, *place = [str(part) for part in one["location"]] or ["request"]
        found.append((whose, "/".join("N" if part.isdigit() else part for part in place), str(one["message"])))
    return found
