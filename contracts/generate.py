"""Writes what others read of the contracts: a JSON Schema for every fact and command, and a sample of every fact.

`python -m contracts.generate` in the repository root. A schema that no longer understands what was published is not written; a sample
is written once and never changed, because it stands for facts that are in logs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import contracts.commands
import contracts.facts  # noqa: F401  # both packages register what they define
from contracts.command import WISHES
from contracts.compatibility import breaks
from contracts.fact import FACTS
from contracts.sampling import sample

ROOT = Path(__file__).resolve().parent


def schemas() -> dict[str, dict[str, Any]]:
    """Every schema by its path below `contracts/`: facts as the log holds them, commands as they travel (with their aliases)."""
    facts = {f"schemas/{type_}.json": (type_, fact.model_json_schema(by_alias=False)) for type_, fact in FACTS.items()}
    wishes = {
        f"schemas/commands/{subject}.json": (subject, one.model_json_schema(by_alias=True)) for subject, one in WISHES.items()
    }
    return {
        path: {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"/{path}", **schema, "title": title}
        for path, (title, schema) in sorted((facts | wishes).items())
    }


def text(document: Any) -> str:
    """A document as it is committed."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def generate(root: Path = ROOT) -> list[str]:
    """Write schemas and missing samples below a folder; returns what could not be written because it breaks what was published."""
    broken: list[str] = []
    for path, schema in schemas().items():
        file = root / path
        if file.exists() and (found := breaks(json.loads(file.read_text("utf-8")), schema)):
            broken += [f"{path}: {one}" for one in found]
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text(schema), "utf-8")
    for type_, fact in sorted(FACTS.items()):
        file = root / "samples" / f"{type_}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            file.write_text(text(json.loads(sample(fact))), "utf-8")
    return broken


def main() -> int:
    """Write everything; 1 when something published would break."""
    broken = generate()
    for one in broken:
        sys.stderr.write(f"not written, it breaks what was published: {one}\n")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
