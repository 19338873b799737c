"""JSON Schema from the types that the code has anyway, and which changes break a reader."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]
_SCALARS: dict[Any, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    type(None): {"type": "null"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
}


class SchemaMaker:
    """Makes schemas of types, and remembers the dataclasses that they name under ``$defs``.

    A field whose name is a word of Python ends in ``_``, which its name in JSON does not. What a
    subclass has more, an object may have."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def of(self, hint: Any) -> Schema:
        """Return the schema of a type; of anything that says nothing: everything."""
        if hint in _SCALARS:
            return dict(_SCALARS[hint])
        if is_dataclass(hint) and isinstance(hint, type):
            return self._named(hint)
        origin, parts = typing.get_origin(hint), typing.get_args(hint)
        made: Schema = {}
        if origin is typing.Annotated:
            made = self.of(parts[0])
        elif origin in (types.UnionType, typing.Union):
            made = _either([self.of(part) for part in parts])
        elif origin is typing.Literal:
            made = {"enum": list(parts)}
        elif origin is tuple and parts and parts[-1] is not Ellipsis:
            made = {
                "type": "array",
                "prefixItems": [self.of(part) for part in parts],
                "minItems": len(parts),
                "maxItems": len(parts),
            }
        elif origin is not None and issubclass(origin, Mapping):
            made = {"type": "object", "additionalProperties": self.of(parts[1])}
        elif origin is not None:
            made = {"type": "array", "items": self.of(parts[0])}
        return made

    def fields_of(self, kind: type) -> dict[str, Schema]:
        """Return field -> schema of a dataclass."""
        hints = type_hints(kind)
        names = [field.name for field in fields(kind)]
        return {name.removesuffix("_"): self.of(hints[name]) for name in names}

    def _named(self, kind: type) -> Schema:
        if kind.__name__ not in self.definitions:
            self.definitions[kind.__name__] = {}  # before its fields, which may hold it again
            made = whole(self.fields_of(kind), about=_first(kind))
            more: type
            for more in kind.__subclasses__():
                made["properties"] = self.fields_of(more) | made["properties"]
            self.definitions[kind.__name__] = made
        return {"$ref": f"#/$defs/{kind.__name__}"}


@cache
def type_hints(kind: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields."""
    return typing.get_type_hints(kind)


def whole(properties: Mapping[str, Schema], *, about: str = "") -> Schema:
    """Return the schema of an object that always has all of these; others may come later."""
    made: Schema = {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
    }
    return {"description": about, **made} if about else made


def titled(name: str, schema: Schema, definitions: Mapping[str, Schema] | None = None) -> Schema:
    """Return a schema as a document, called ``akb.<what>/<major>``."""
    made = {"$schema": DIALECT, "$id": f"urn:{name.replace('/', ':')}", "title": name, **schema}
    if definitions:
        made["$defs"] = {key: definitions[key] for key in sorted(definitions)}
    return made


def breaking(old: Schema, new: Schema) -> list[str]:
    """Return what in a new schema of the same major would break who reads by the old one.

    A reader counts on every property that was always there, and on the types and words that its
    value could have. More properties break nobody."""
    found: list[str] = []
    _compare(Side(old, old), Side(new, new), "", found)
    return found


class Side(typing.NamedTuple):
    """A part of a schema, and the whole in which its references stand."""

    part: Schema
    root: Schema

    def to(self, part: Schema) -> Side:
        """Return another part of the same whole."""
        return Side(part, self.root)

    def resolved(self) -> Side:
        """Return what a reference stands for."""
        part = self.part
        while "$ref" in part:
            part = self.root["$defs"][part["$ref"].rpartition("/")[2]]
        return self.to(part)


def _compare(old: Side, new: Side, where: str, found: list[str]) -> None:
    before, after = old.resolved(), new.resolved()
    was, now = before.part, after.part
    if not was:
        return  # nothing was promised
    kinds, allowed = _kinds(after), _kinds(before)
    if allowed and (not kinds or not kinds <= allowed):
        found.append(f"{where or '/'}: {_said(kinds)} instead of {_said(allowed)}")
        return
    if "enum" in was and not set(now.get("enum", [object()])) <= set(was["enum"]):
        found.append(f"{where}: other words than {was['enum']}")
    gone = sorted(set(was.get("required", ())) - set(now.get("required", ())))
    found += [f"{where}/{name}: no longer always there" for name in gone]
    for name, part in was.get("properties", {}).items():
        if name in now.get("properties", {}):
            _compare(before.to(part), after.to(now["properties"][name]), f"{where}/{name}", found)
        elif name not in gone:
            found.append(f"{where}/{name}: gone")
    for word in ("items", "additionalProperties"):
        if isinstance(was.get(word), dict) and isinstance(now.get(word), dict):
            _compare(before.to(was[word]), after.to(now[word]), f"{where}/*", found)
    for word in ("anyOf", "prefixItems"):
        for one, other in zip(was.get(word, ()), now.get(word, ()), strict=False):
            _compare(before.to(one), after.to(other), where, found)


def _kinds(side: Side) -> frozenset[str]:
    part = side.resolved().part
    if "anyOf" in part:
        return frozenset().union(*(_kinds(side.to(each)) for each in part["anyOf"]))
    given = part.get("type", ())
    kinds = {given} if isinstance(given, str) else set(given)
    return frozenset(kinds | ({"integer"} if "number" in kinds else set()))


def _said(kinds: frozenset[str]) -> str:
    return " or ".join(sorted(kinds)) or "anything"


def _either(parts: list[Schema]) -> Schema:
    """Return one of several; of scalars as a list of types, which is easier to read."""
    if all(set(part) == {"type"} for part in parts):
        return {"type": [part["type"] for part in parts]}
    return {"anyOf": parts}


def _first(kind: type) -> str:
    """Return the first sentence of a class's docstring."""
    paragraph = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
    return "" if paragraph.startswith(f"{kind.__name__}(") else paragraph
