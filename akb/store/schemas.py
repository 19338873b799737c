"""JSON Schemas of ``manifest.json`` and of the portal's feedback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from akb.store import feedback, manifest
from akb.store.json_schema import SchemaMaker, titled, whole

if TYPE_CHECKING:
    from akb.store.json_schema import Schema


@dataclass(frozen=True)
class ManifestRows:
    """Rows read = used + rejected."""

    read: int
    used: int
    rejected: int


@dataclass(frozen=True)
class ManifestInput:
    """A file that was read: its name without a folder, its role, the hash of its bytes, and how it
    was read.
    """

    name: str
    role: str
    sha256: str
    rows: ManifestRows
    dialect: dict[str, str]
    assumed: tuple[str, ...]


def manifest_schema() -> Schema:
    """Return the schema of ``manifest.json``."""
    maker = SchemaMaker()
    numbers: Schema = {"type": "object", "additionalProperties": {"type": "number"}}
    texts: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
    properties: dict[str, Schema] = {
        "schema": {"const": manifest.SCHEMA},
        "as_of": {"type": "string", "format": "date"},
        "run": {"type": "string", "pattern": "^R-[0-9a-f]{12}$"},
        "versions": texts,
        "inputs": {"type": "array", "items": maker.of(ManifestInput)},
        "rows": maker.of(ManifestRows),
        "settings": {"type": "object", "description": "As akb.toml, with every default."},
        "seed": {"type": "integer"},
        "asked": whole(
            {
                "files": {"type": "array", "items": {"type": "string"}},
                "roles": texts,
                "as_of": {"type": ["string", "null"], "format": "date"},
                "go_on": {"type": "boolean"},
                "settings": {"type": "object", "description": "Those that are no defaults."},
            },
            about="What akb rerun needs to do the run again.",
        ),
        "pseudonyms": {"type": "boolean"},
        "key_id": {"type": "string"},
        "seconds": numbers,
        "seconds_per_prediction": numbers,
        "outputs": {**texts, "description": "Path in the run -> sha256 of what akb wrote."},
    }
    document = whole(properties)
    document["properties"]["case"] = {
        "type": "object",
        "description": "Of a run that akb case --out wrote: the assumptions that were changed.",
    }
    document["properties"]["scored"] = {
        "type": "object",
        "description": "Of a run that akb score wrote: the run whose models scored.",
    }
    return titled(manifest.SCHEMA, document, maker.definitions)


def feedback_schema() -> Schema:
    """Return the schema of one event of the portal's feedback."""
    schema = feedback.Feedback.model_json_schema(mode="validation")
    schema.pop("title", None)
    return titled(feedback.SCHEMA, schema, schema.pop("$defs", {}))
