"""A strict reader of JSON Schema for tests: also a key that the schema does not name is a complaint."""

from __future__ import annotations

import re
from typing import Any

TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
    "null": type(None),
}  # fmt: skip


def complaints(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, where: str = "") -> list[str]:
    """Return where a document is not what its schema says; ``where`` as in ``/business_case/cohort/net``."""
    root = root or schema
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    found = []
    if "anyOf" in schema:
        tried = [complaints(value, part, root, where) for part in schema["anyOf"]]
        found += [] if any(not each for each in tried) else min(tried, key=len)
    if "type" in schema and not any(is_a(value, kind) for kind in listed(schema["type"])):
        return [*found, f"{where}: {type(value).__name__} is no {schema['type']}"]
    if "const" in schema and value != schema["const"]:
        found.append(f"{where}: not {schema['const']}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: none of {schema['enum']}")
    if isinstance(value, dict):
        found += of_object(value, schema, root, where)
    if isinstance(value, list):
        found += of_array(value, schema, root, where)
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{where}: not {schema['pattern']}")
    if isinstance(value, str) and schema.get("format") == "date" and not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        found.append(f"{where}: no date")
    if isinstance(value, int | float) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        found.append(f"{where}: out of bounds")
    return found


def of_object(value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], where: str) -> list[str]:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    found = [f"{where}/{name}: missing" for name in schema.get("required", ()) if name not in value]
    for name, each in value.items():
        patterns = [part for pattern, part in schema.get("patternProperties", {}).items() if re.search(pattern, name)]
        parts = [properties[name]] if name in properties else patterns
        if not parts and isinstance(others, dict):
            parts = [others]
        if not parts and (properties or others is False):
            found.append(f"{where}/{name}: not declared")
        for part in parts[:1]:
            found += complaints(each, part, root, f"{where}/{name}")
    return found


def of_array(value: list[Any], schema: dict[str, Any], root: dict[str, Any], where: str) -> list[str]:
    found = []
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        found.append(f"{where}: {len(value)} entries")
    for place, each in enumerate(value):
        fixed = schema.get("prefixItems", [])
        part = fixed[place] if place < len(fixed) else schema.get("items", {})
        found += complaints(each, part, root, f"{where}/{place}")
    return found


def listed(kinds: str | list[str]) -> list[str]:
    return [kinds] if isinstance(kinds, str) else kinds


def is_a(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES[kind])
