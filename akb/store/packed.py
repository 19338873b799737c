"""Results of the rooms as one file, and back: dataclasses as JSON, frames as Parquet, in a zip of
its own bytes.

Data, never code: only the classes that the reader names are made, and nothing in the file can run.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import fields, is_dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from akb.core.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import polars as pl

SCHEMA = "akb.kept/3"
_DOCUMENT = "kept.json"
_DAY = (1980, 1, 1, 0, 0, 0)  # a zip wants a time; the same one gives the same bytes
_KIND, _VALUE = "kind", "value"
_MANY = 100  # small things of one class from which they are kept as a table
_REMEDY = "Run akb eda again."


def packed(things: Mapping[str, Any]) -> bytes:
    """Return things by name as one file; the same things give the same bytes.

    They may hold dataclasses, frames, tuples, lists, dictionaries, dates, text and numbers,
    whatever deep.

    Raises
    ------
    TypeError
        If they hold anything else: a programming error.
    """
    frames: list[pl.DataFrame] = []
    document = {"schema": SCHEMA, "things": _plain(dict(things), frames)}
    parts = {_DOCUMENT: json.dumps(document, ensure_ascii=False).encode()}
    for place, frame in enumerate(frames):
        held = io.BytesIO()
        frame.write_parquet(
            held, compression="zstd", compression_level=3, row_group_size=max(1, frame.height)
        )
        parts[f"{place}.parquet"] = held.getvalue()
    return _zipped(parts)


def emptied() -> bytes:
    """Return the file that stands where one was whose content had to go."""
    return _zipped({_DOCUMENT: json.dumps({"schema": SCHEMA, "things": None}).encode()})


def renamed(content: bytes, names: Iterable[str], to: str) -> bytes | None:
    """Return a packed file in which a customer has another name, and neither year of birth nor
    postcode; None where it cannot be told whether he is in it.
    """
    import polars as pl

    known = list(names)
    parts: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as held:
            parts = {name: held.read(name) for name in held.namelist()}
        if any(name.encode() in parts[_DOCUMENT] for name in known):
            return None
        for name in (name for name in parts if name.endswith(".parquet")):
            frame = pl.read_parquet(io.BytesIO(parts[name]))
            texts = [column for column, kind in frame.schema.items() if kind == pl.String]
            his = pl.any_horizontal(
                pl.lit(value=False),
                *(pl.col(each).is_in(known).fill_null(value=False) for each in texts),
            )
            if not frame.select(his.any()).item():
                continue
            bare = [column for column in ("birth_year", "postcode4") if column in frame.columns]
            frame = frame.with_columns(
                *(pl.when(~his).then(pl.col(column)).alias(column) for column in bare)
            ).with_columns(pl.col(texts).replace(dict.fromkeys(known, to)))
            held_ = io.BytesIO()
            frame.write_parquet(
                held_, compression="zstd", compression_level=3, row_group_size=max(1, frame.height)
            )
            parts[name] = held_.getvalue()
    except (zipfile.BadZipFile, KeyError, pl.exceptions.PolarsError):
        return None
    return _zipped(parts)


def unpacked(
    content: bytes,
    classes: Iterable[type],
    only: Iterable[str] | None = None,
    without: Iterable[str] = (),
) -> dict[str, Any]:
    """Return what was packed.

    Parameters
    ----------
    classes
        The dataclasses that may be in it.
    only
        The names asked for; the rest is not read.
    without
        Fields of the dataclasses asked for that are left at their defaults, as nobody will look at
        them.

    Raises
    ------
    RefusedError
        If the file is damaged, was emptied, or was made by another akb.
    """
    known = {each.__name__: each for each in classes}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as held:
            document = json.loads(held.read(_DOCUMENT))
            if document["schema"] != SCHEMA:
                raise RefusedError(
                    f"this run kept its state as {document['schema']}; this akb reads {SCHEMA}",
                    _REMEDY,
                )
            if document["things"] is None:
                raise RefusedError(
                    "a customer was taken out of this run, and with him what it was made of",
                    _REMEDY,
                )
            asked = (
                document["things"]
                if only is None
                else _only(document["things"], set(only), set(without))
            )
            made: dict[str, Any] = _made(asked, held.read, known)
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise RefusedError(
            f"what this run kept cannot be read by this akb ({type(error).__name__})", _REMEDY
        ) from None
    return made


def _only(things: Mapping[str, Any], names: set[str], without: set[str]) -> dict[str, Any]:
    asked = [(name, thing) for name, thing in things[_VALUE] if name in names]
    return {**things, _VALUE: [[name, _thinned(thing, without)] for name, thing in asked]}


def _thinned(thing: Any, without: set[str]) -> Any:
    if not isinstance(thing, dict) or not isinstance(thing[_VALUE], dict):
        return thing
    return {
        **thing,
        _VALUE: {name: each for name, each in thing[_VALUE].items() if name not in without},
    }


def _zipped(parts: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as held:
        for name, content in parts.items():
            kind = (
                zipfile.ZIP_DEFLATED if name == _DOCUMENT else zipfile.ZIP_STORED
            )  # Parquet is compressed already
            held.writestr(zipfile.ZipInfo(name, _DAY), content, compress_type=kind)
    return out.getvalue()


def _plain(thing: Any, frames: list[pl.DataFrame]) -> Any:
    """Return a thing as JSON; what JSON has no form for says its kind, frames go to `frames`."""
    import polars as pl

    made: Any
    if thing is None or isinstance(thing, bool | int | float | str):
        made = thing
    elif isinstance(thing, pl.DataFrame):
        frames.append(thing)
        made = {_KIND: "frame", _VALUE: len(frames) - 1}
    elif isinstance(thing, date):
        made = {_KIND: "date", _VALUE: thing.isoformat()}
    elif isinstance(thing, list):
        made = [_plain(each, frames) for each in thing]
    elif isinstance(thing, tuple) and (table := _table(thing)) is not None:
        frames.append(table)
        made = {_KIND: "rows", _VALUE: [type(thing[0]).__name__, len(frames) - 1]}
    elif isinstance(thing, tuple):
        made = {_KIND: "tuple", _VALUE: [_plain(each, frames) for each in thing]}
    elif is_dataclass(thing) and not isinstance(thing, type):
        values = {field.name: _plain(getattr(thing, field.name), frames) for field in fields(thing)}
        made = {_KIND: type(thing).__name__, _VALUE: values}
    elif hasattr(thing, "items"):
        made = {
            _KIND: "dict",
            _VALUE: [[_plain(key, frames), _plain(each, frames)] for key, each in thing.items()],
        }
    elif hasattr(thing, "item"):  # a number of NumPy
        made = thing.item()
    else:
        raise TypeError(f"no form to keep for {type(thing).__name__}")
    return made


def _table(things: tuple[Any, ...]) -> pl.DataFrame | None:
    """Return many small things of one class as a frame, None where they are no such thing: a tenth
    of the time.
    """
    import polars as pl

    if (
        len(things) < _MANY
        or not is_dataclass(things[0])
        or len({type(thing) for thing in things}) > 1
    ):
        return None
    flat = {bool: pl.Boolean, int: pl.Int64, float: pl.Float64, str: pl.String}
    columns = {
        field.name: [getattr(thing, field.name) for thing in things] for field in fields(things[0])
    }
    kinds = {
        name: {type(value) for value in values} - {type(None)} for name, values in columns.items()
    }
    if any(len(kind) != 1 or not kind <= flat.keys() for kind in kinds.values()):
        return None
    return pl.DataFrame(columns, schema={name: flat[kind.pop()] for name, kind in kinds.items()})


def _made(document: Any, part: Callable[[str], bytes], known: Mapping[str, type]) -> Any:
    import polars as pl

    if isinstance(document, list):
        return [_made(each, part, known) for each in document]
    if not isinstance(document, dict):
        return document
    kind, value = document[_KIND], document[_VALUE]
    made: Any
    if kind == "frame":
        made = pl.read_parquet(io.BytesIO(part(f"{value}.parquet"))).rechunk()
    elif kind == "rows":
        rows = pl.read_parquet(io.BytesIO(part(f"{value[1]}.parquet")))
        made = tuple(known[value[0]](*row) for row in rows.iter_rows())
    elif kind == "date":
        made = date.fromisoformat(value)
    elif kind == "tuple":
        made = tuple(_made(each, part, known) for each in value)
    elif kind == "dict":
        made = {_made(key, part, known): _made(each, part, known) for key, each in value}
    else:
        made = known[kind](**{name: _made(each, part, known) for name, each in value.items()})
    return made
