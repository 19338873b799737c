"""Plotly figures by graph_objects, which refuses what Plotly does not know: bars, steps, whiskers,
lines.

No raw data: every point was counted before. Labels stand at the marks. A colour is that of the
light page; the script puts the one of the reader's page in its place, and re-lays bars for a phone:
labels above, nothing shrunk."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import ceil, floor
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from plotly import graph_objects as go

from akb.report import formats

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COLOURS = {
    "ink": "#1b2430",
    "muted": "#566173",
    "line": "#d8dde4",
    "klant": "#1f4e9a",
    "moment": "#b4501b",
    "aandacht": "#6f4a9b",
    "product": "#2c7a4b",
    "context": "#868f9b",
}
"""Role -> colour on the light page, as ``tokens.css`` has it; the script knows a role by it."""
FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_ROW = 44
_FOOT = 44
_LINE = 17
_LABEL = 34  # signs on a line beside a bar
_STEP = 14  # signs on a line under a step
_CLEAR = "rgba(0,0,0,0)"


@dataclass(frozen=True)
class Bar:
    """One bar: what it is called, how long it is, what is written, its colour, where it starts, its
    interval.

    Parameters
    ----------
    second, second_shown, second_colour
        A thinner bar below it: the other measure.
    """

    label: str
    value: float
    shown: str
    colour: str = "context"
    base: float = 0.0
    low: float | None = None
    high: float | None = None
    second: float | None = None
    second_shown: str = ""
    second_colour: str = "context"


@dataclass(frozen=True)
class Axis:
    """The measure along a figure: ``share`` (fractions), ``euro`` (cents) or ``number``, and its
    title.
    """

    kind: str
    title: str

    def scaled(self, value: float) -> float:
        """Return a value in the unit of the axis, to four decimals."""
        factor = {"share": 100.0, "euro": 0.01}.get(self.kind, 1.0)
        return round(value * factor, 4)

    def layout(self, low: float, high: float) -> dict[str, Any]:
        """Return the axis from `low` to `high` (in its unit) with a few round ticks."""
        step = formats.nice_step(high - low)
        return {
            "range": [low, high],
            "dtick": step,
            **(_below_zero(low, high, step) if self.kind == "euro" and low < 0 else {}),
            "tickprefix": formats.euro_sign() if self.kind == "euro" else "",
            "ticksuffix": formats.percent_sign() if self.kind == "share" else "",
            "tickformat": ",.10~f",
            "title": {
                "text": self.title,
                "font": {"size": 12, "color": COLOURS["muted"]},
                "standoff": 8,
            },
            "tickfont": {"size": 12, "color": COLOURS["muted"]},
            "gridcolor": COLOURS["line"],
            "zeroline": True,
            "zerolinecolor": COLOURS["ink"],
            "zerolinewidth": 1,
            "fixedrange": True,
        }


def known(value: float | None) -> float:
    """Return a value that a shown row has: those without are left out before."""
    if value is None:
        raise ValueError("a figure shows what is not known")
    return value


def _below_zero(low: float, high: float, step: float) -> dict[str, Any]:
    """Ticks in euros with the minus in front, as in the text; Plotly would put it behind the
    sign.
    """
    ticks = [step * place for place in range(ceil(low / step), floor(high / step) + 1)]
    return {
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [str(formats.euro_exact(100 * tick)) for tick in ticks],
    }


def bars(
    rows: Sequence[Bar], axis: Axis, reference: tuple[float, str] | None = None
) -> dict[str, Any]:
    """Return horizontal bars, first row on top, with an optional grey reference line and its
    label.
    """
    places = [len(rows) - 1 - i for i in range(len(rows))]
    double = any(row.second is not None for row in rows)
    ends = [axis.scaled(v) for row in rows for v in _reach(row)] + (
        [axis.scaled(reference[0])] if reference else []
    )
    low, high = min([0.0, *ends]), max([0.0, *ends])
    span = (high - low) or 1.0
    data = [
        _trace(rows, [p + (0.15 if double else 0) for p in places], axis, 0.26 if double else 0.5)
    ]
    if double:
        seconds = [Bar(r.label, r.second or 0.0, r.second_shown, r.second_colour) for r in rows]
        data.append(_trace(seconds, [p - 0.15 for p in places], axis, 0.26))
    data += _whiskers(rows, [p + (0.15 if double else 0) for p in places], axis)
    lines = max(len(wrap(row.label, _LABEL)) for row in rows)
    each = max(_ROW + (10 if double else 0), _LINE * lines + 8)
    layout = _layout(len(rows) * each + _FOOT + (18 if reference else 0))
    layout["xaxis"] = axis.layout(low - (0.16 * span if low < 0 else 0), high + 0.04 * span) | {
        "showgrid": False
    }
    layout["yaxis"] = {
        "range": [-0.6, len(rows) - 0.4],
        "fixedrange": True,
        "tickmode": "array",
        "tickvals": places,
        "ticktext": [_wrapped(row.label, _LABEL) for row in rows],
        "tickfont": {"size": 13, "color": COLOURS["ink"]},
        "ticks": "",
        "showgrid": False,
        "zeroline": False,
        "automargin": False,
    }
    layout["annotations"] = [
        note
        for row, place in zip(rows, places, strict=True)
        for note in (
            *_written(row, place + (0.15 if double else 0), axis),
            *(
                [_beside(axis.scaled(row.second or 0.0), place - 0.15, row.second_shown)]
                if row.second_shown
                else []
            ),
        )
    ]
    if reference:
        at = axis.scaled(reference[0])
        layout["shapes"] = [_rule(at)]
        layout["annotations"].append(_note(at, reference[1], right=at > low + 0.6 * span))
        layout["margin"]["t"] += 18
    return made(data, layout)


def steps(rows: Sequence[Bar], axis: Axis) -> dict[str, Any]:
    """Return a waterfall that stands on today's level: first row is today, the last where it ends.

    The zero line is today, so that the steps may fill the height; `base` and `value` of a row are
    differences from it."""
    first, *others = rows
    ends = [axis.scaled(v) for row in others for v in (row.base, row.base + row.value)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    span = (high - low) or 1.0
    data = [
        go.Bar(
            x=list(range(len(others))),
            y=[axis.scaled(row.value) for row in others],
            base=[axis.scaled(row.base) for row in others],
            width=0.72,
            marker={"color": [COLOURS[row.colour] for row in others], "line": {"width": 0}},
            hoverinfo="skip",
            cliponaxis=False,
        )
    ]
    layout = _layout(380)
    layout["xaxis"] = {
        "range": [-0.6, len(others) - 0.4],
        "tickmode": "array",
        "tickvals": list(range(len(others))),
        "ticktext": [_wrapped(row.label, _STEP) for row in others],
        "tickfont": {"size": 12, "color": COLOURS["muted"]},
        "tickangle": 0,
        "ticks": "",
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }
    layout["yaxis"] = {
        "visible": False,
        "range": [low - 0.16 * span, high + 0.2 * span],
        "fixedrange": True,
    }
    layout["shapes"] = [_level(0.0)]
    layout["annotations"] = [
        _on(
            place,
            axis.scaled(
                row.base + row.value if row.value < 0 else max(row.base, row.base + row.value)
            ),
            row.shown,
            below=row.value < 0,
        )
        for place, row in enumerate(others)
    ]
    layout["annotations"].append(_today(f"{first.label}  <b>{escape(first.shown)}</b>"))
    layout["margin"] |= {"l": 0, "r": 0, "t": 26, "b": 56}
    return made(data, layout)


def line(
    points: Sequence[tuple[float, float]],
    x: Axis,
    y: Axis,
    colour: str,
    labels: Sequence[tuple[float, float, str]] = (),
    *,
    markers: bool = False,
    ticks: Sequence[tuple[float, str]] = (),
    top: float | None = None,
    beside: Iterable[Sequence[tuple[float, float]]] = (),
    shift: tuple[int, int] = (0, 16),
) -> dict[str, Any]:
    """Return one line from zero upwards, with labels at chosen points, on top of thin grey ones."""
    xs, ys = [x.scaled(p[0]) for p in points], [y.scaled(p[1]) for p in points]
    high = y.scaled(top) if top is not None else (max(ys) or 1.0) * 1.18
    data = [_grey(other, x, y) for other in beside]
    data.append(
        go.Scatter(
            mode="lines+markers" if markers else "lines",
            x=xs,
            y=ys,
            line={"color": COLOURS[colour], "width": 2.5, "shape": "linear"},
            marker={"color": COLOURS[colour], "size": 8},
            hoverinfo="skip",
            cliponaxis=False,
        )
    )
    layout = _layout(270)
    pad = 0.06 * ((max(xs) - min(xs)) or 1.0)
    layout["margin"] |= {"l": 52, "r": 24, "b": 48}
    layout["xaxis"] = x.layout(min(xs) - (pad if markers else 0), max(xs) + pad)
    layout["xaxis"] |= {"showgrid": False, "zeroline": False}
    if ticks:
        layout["xaxis"] |= {
            "tickmode": "array",
            "tickvals": [x.scaled(t) for t, _ in ticks],
            "ticktext": [escape(str(t)) for _, t in ticks],
        }
    layout["yaxis"] = y.layout(0, high) | {"title": {"text": ""}}
    layout["annotations"] = [
        {
            "x": x.scaled(at),
            "y": y.scaled(value),
            "text": f"<b>{escape(str(shown))}</b>",
            "showarrow": False,
            "xshift": shift[0],
            "yshift": shift[1],
            "font": {"size": 13, "color": COLOURS["ink"]},
        }
        for at, value, shown in labels
    ]
    return made(data, layout)


def plot_calibration(
    points: Sequence[tuple[float, float, float, float]], x: Axis, y: Axis
) -> dict[str, Any]:
    """Return predicted against observed with intervals, and the grey diagonal of a perfect
    level.
    """
    xs, ys = [x.scaled(p[0]) for p in points], [y.scaled(p[1]) for p in points]
    above = [y.scaled(p[3]) - v for p, v in zip(points, ys, strict=True)]
    below = [v - y.scaled(p[2]) for p, v in zip(points, ys, strict=True)]
    high = 1.12 * max([*xs, *(v + a for v, a in zip(ys, above, strict=True)), 1.0])
    diagonal = go.Scatter(
        mode="lines",
        x=[0, high],
        y=[0, high],
        line={"color": COLOURS["context"], "width": 1.5, "dash": "dot"},
        hoverinfo="skip",
    )
    dots = go.Scatter(
        mode="markers",
        x=xs,
        y=ys,
        marker={"color": COLOURS["moment"], "size": 9},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [round(a, 4) for a in above],
            "arrayminus": [round(b, 4) for b in below],
            "color": COLOURS["moment"],
            "thickness": 1.2,
            "width": 0,
        },
        hoverinfo="skip",
        cliponaxis=False,
    )
    layout = _layout(380)
    layout["margin"] |= {"l": 64, "r": 24, "b": 52}
    layout["xaxis"] = x.layout(0, high)
    layout["yaxis"] = y.layout(0, high)
    return made([diagonal, dots], layout)


def made(data: Sequence[Any], layout: dict[str, Any]) -> dict[str, Any]:
    """Return a figure as JSON types, after Plotly's own look at it.

    Raises
    ------
    ValueError
        If Plotly does not know a property or a value: a programming error.
    """
    figure = go.Figure(data=list(data), layout={**layout, "template": go.layout.Template()})
    found: dict[str, Any] = figure.to_plotly_json()
    found["layout"].pop("template", None)
    return {"data": found["data"], "layout": found["layout"]}


def _grey(points: Sequence[tuple[float, float]], x: Axis, y: Axis) -> Any:
    """Return a thin grey line: the range, or the other measure."""
    return go.Scatter(
        mode="lines",
        x=[x.scaled(point[0]) for point in points],
        y=[y.scaled(point[1]) for point in points],
        line={"color": COLOURS["context"], "width": 1.5, "dash": "dot"},
        hoverinfo="skip",
    )


def _trace(rows: Sequence[Bar], places: Sequence[float], axis: Axis, width: float) -> Any:
    return go.Bar(
        orientation="h",
        x=[axis.scaled(row.value) for row in rows],
        y=list(places),
        base=[axis.scaled(row.base) for row in rows],
        width=width,
        marker={"color": [COLOURS[row.colour] for row in rows], "line": {"width": 0}},
        hoverinfo="skip",
        cliponaxis=False,
    )


def _whiskers(rows: Sequence[Bar], places: Sequence[float], axis: Axis) -> list[Any]:
    """Return the intervals of the bars that have one, as thin lines on an invisible trace."""
    shown = [
        (r, p)
        for r, p in zip(rows, places, strict=True)
        if r.low is not None and r.high is not None
    ]
    if not shown:
        return []
    ends = [row.base + row.value for row, _ in shown]
    above = [
        axis.scaled((row.high or 0.0) - end) for (row, _), end in zip(shown, ends, strict=True)
    ]
    below = [axis.scaled(end - (row.low or 0.0)) for (row, _), end in zip(shown, ends, strict=True)]
    return [
        go.Scatter(
            mode="markers",
            x=[axis.scaled(end) for end in ends],
            y=[place for _, place in shown],
            marker={"size": 0.1, "color": _CLEAR},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": above,
                "arrayminus": below,
                "color": COLOURS["ink"],
                "thickness": 1.4,
                "width": 4,
            },
            hoverinfo="skip",
            cliponaxis=False,
        )
    ]


def _reach(row: Bar) -> list[float]:
    return [
        row.base,
        row.base + row.value,
        *(v for v in (row.low, row.high, row.second) if v is not None),
    ]


def _written(row: Bar, place: float, axis: Axis) -> list[dict[str, Any]]:
    """What is written at the end of a bar: beyond its interval, and left of a bar that goes left of
    zero.
    """
    if not row.shown:
        return []
    left = row.base + row.value < 0 and row.value < 0
    ends = [v for v in (row.base, row.base + row.value, row.low, row.high) if v is not None]
    return [_beside(axis.scaled(min(ends) if left else max(ends)), place, row.shown, left=left)]


def _beside(x: float, place: float, text: str, *, left: bool = False) -> dict[str, Any]:
    return {
        "x": x,
        "y": place,
        "xanchor": "right" if left else "left",
        "xshift": -6 if left else 6,
        "text": f"<b>{escape(str(text))}</b>",
        "showarrow": False,
        "font": {"size": 13, "color": COLOURS["ink"]},
    }


def _on(place: float, y: float, text: str, *, below: bool) -> dict[str, Any]:
    return {
        "x": place,
        "y": y,
        "yanchor": "top" if below else "bottom",
        "yshift": -3 if below else 3,
        "text": f"<b>{escape(str(text))}</b>",
        "showarrow": False,
        "font": {"size": 13, "color": COLOURS["ink"]},
    }


def _today(text: str) -> dict[str, Any]:
    return {
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "text": text,
        "showarrow": False,
        "font": {"size": 13, "color": COLOURS["ink"]},
    }


def _level(at: float) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": at,
        "y1": at,
        "line": {"color": COLOURS["ink"], "width": 1},
    }


def _rule(at: float) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": at,
        "x1": at,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"color": COLOURS["context"], "width": 1.5, "dash": "dot"},
        "layer": "below",
    }


def _note(at: float, text: str, *, right: bool) -> dict[str, Any]:
    return {
        "x": at,
        "xanchor": "right" if right else "left",
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "text": escape(str(text)),
        "showarrow": False,
        "font": {"size": 12, "color": COLOURS["muted"]},
    }


def _wrapped(text: str, width: int) -> str:
    return "<br>".join(escape(part) for part in wrap(str(text), width)) or " "


def _layout(height: int) -> dict[str, Any]:
    return {
        "height": height,
        "autosize": True,
        "margin": {"l": 0, "r": 8, "t": 8, "b": 36, "pad": 0},
        "paper_bgcolor": _CLEAR,
        "plot_bgcolor": _CLEAR,
        "font": {"family": FONT, "size": 13, "color": COLOURS["ink"]},
        "showlegend": False,
        "dragmode": False,
        "hovermode": False,
        "separators": formats.separators(),
        "barmode": "overlay",
    }
