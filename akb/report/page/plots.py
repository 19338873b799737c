"""Plotly figures as plain dicts: bars, whiskers, lines. Colours are role names (``@moment``) that the page resolves.

No template, no raw data: every point was counted before. Labels stand above their bars, so that a figure reads the
same at 360 and at 1,120 pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from akb.report import formats

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROW = 46
_FOOT = 56


@dataclass(frozen=True)
class Bar:
    """One bar: what it is called, how long it is, what is written, its colour, where it starts, its interval."""

    label: str
    value: float
    shown: str
    colour: str = "@context"
    base: float = 0.0
    low: float | None = None
    high: float | None = None
    second: float | None = None


@dataclass(frozen=True)
class Axis:
    """The measure along a figure: ``share`` (fractions), ``euro`` (cents) or ``number``, and its title."""

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
            "tickprefix": "€ " if self.kind == "euro" else "",
            "ticksuffix": " %" if self.kind == "share" else "",
            "tickformat": ",.10~f",
            "title": {"text": self.title, "font": {"size": 13, "color": "@muted"}, "standoff": 8},
            "tickfont": {"size": 12, "color": "@muted"},
            "gridcolor": "@line",
            "zeroline": True,
            "zerolinecolor": "@ink",
            "zerolinewidth": 1,
            "fixedrange": True,
        }


def known(value: float | None) -> float:
    """Return a value that a shown row has: those without are left out before."""
    if value is None:
        raise ValueError("a figure shows what is not known")
    return value


def _below_zero(low: float, high: float, step: float) -> dict[str, Any]:
    """Ticks in euros with the minus in front, as in the text; Plotly would put it behind the sign."""
    ticks = [step * place for place in range(ceil(low / step), floor(high / step) + 1)]
    return {"tickmode": "array", "tickvals": ticks, "ticktext": [formats.euro_exact(100 * tick) for tick in ticks]}


def bars(rows: Sequence[Bar], axis: Axis, reference: tuple[float, str] | None = None) -> dict[str, Any]:
    """Return horizontal bars, first row on top, with an optional grey reference line and its label."""
    places = [len(rows) - 1 - i for i in range(len(rows))]
    double = any(row.second is not None for row in rows)
    ends = [axis.scaled(v) for row in rows for v in _reach(row)] + ([axis.scaled(reference[0])] if reference else [])
    low, high = min([0.0, *ends]), max([0.0, *ends])
    span = (high - low) or 1.0
    data = [_trace(rows, [p + (0.11 if double else 0) for p in places], axis, 0.2 if double else 0.36)]
    if double:
        seconds = [Bar(r.label, r.second or 0.0, "", "@context") for r in rows]
        data.append(_trace(seconds, [p - 0.12 for p in places], axis, 0.2))
    data += _whiskers(rows, places, axis)
    layout = _layout(len(rows) * _ROW + _FOOT + (18 if reference else 0))
    layout["xaxis"] = axis.layout(low - (0.02 * span if low < 0 else 0), high + 0.04 * span)
    layout["yaxis"] = {"visible": False, "range": [-0.5, len(rows) - 0.25], "fixedrange": True}
    layout["annotations"] = [_label(row, place) for row, place in zip(rows, places, strict=True)]
    if reference:
        at = axis.scaled(reference[0])
        layout["shapes"] = [_rule(at)]
        layout["annotations"].append(_note(at, reference[1], right=at > low + 0.6 * span))
        layout["margin"]["t"] += 18
    return {"data": data, "layout": layout}


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
) -> dict[str, Any]:
    """Return one line from zero upwards, with labels at chosen points."""
    xs, ys = [x.scaled(p[0]) for p in points], [y.scaled(p[1]) for p in points]
    high = y.scaled(top) if top is not None else (max(ys) or 1.0) * 1.18
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines+markers" if markers else "lines",
            "x": xs,
            "y": ys,
            "line": {"color": colour, "width": 2.5, "shape": "linear"},
            "marker": {"color": colour, "size": 8},
            "hoverinfo": "skip",
            "cliponaxis": False,
        }
    ]
    layout = _layout(320)
    pad = 0.06 * ((max(xs) - min(xs)) or 1.0)
    layout["margin"] |= {"l": 52, "r": 24, "b": 48}
    layout["xaxis"] = x.layout(min(xs) - (pad if markers else 0), max(xs) + pad) | {
        "showgrid": False,
        "zeroline": False,
    }
    if ticks:
        layout["xaxis"] |= {
            "tickmode": "array",
            "tickvals": [x.scaled(t) for t, _ in ticks],
            "ticktext": [escape(t) for _, t in ticks],
        }
    layout["yaxis"] = y.layout(0, high) | {"title": {"text": ""}}
    layout["annotations"] = [
        {
            "x": x.scaled(at),
            "y": y.scaled(value),
            "text": f"<b>{escape(shown)}</b>",
            "showarrow": False,
            "yshift": 16,
            "font": {"size": 13, "color": "@ink"},
        }
        for at, value, shown in labels
    ]
    return {"data": data, "layout": layout}


def plot_calibration(points: Sequence[tuple[float, float, float, float]], x: Axis, y: Axis) -> dict[str, Any]:
    """Return predicted against observed with intervals, and the grey diagonal of a perfect level."""
    xs, ys = [x.scaled(p[0]) for p in points], [y.scaled(p[1]) for p in points]
    above = [y.scaled(p[3]) - v for p, v in zip(points, ys, strict=True)]
    below = [v - y.scaled(p[2]) for p, v in zip(points, ys, strict=True)]
    high = 1.12 * max([*xs, *(v + a for v, a in zip(ys, above, strict=True)), 1.0])
    diagonal = {
        "type": "scatter",
        "mode": "lines",
        "x": [0, high],
        "y": [0, high],
        "line": {"color": "@context", "width": 1.5, "dash": "dot"},
        "hoverinfo": "skip",
    }
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": xs,
        "y": ys,
        "marker": {"color": "@moment", "size": 9},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [round(a, 4) for a in above],
            "arrayminus": [round(b, 4) for b in below],
            "color": "@moment",
            "thickness": 1.2,
            "width": 0,
        },
        "hoverinfo": "skip",
        "cliponaxis": False,
    }
    layout = _layout(400)
    layout["margin"] |= {"l": 64, "r": 24, "b": 52}
    layout["xaxis"] = x.layout(0, high)
    layout["yaxis"] = y.layout(0, high)
    return {"data": [diagonal, dots], "layout": layout, "width": 560}


def grey(points: Sequence[tuple[float, float]], x: Axis, y: Axis) -> dict[str, Any]:
    """Return a thin grey line: the range, or the other measure."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x.scaled(point[0]) for point in points],
        "y": [y.scaled(point[1]) for point in points],
        "line": {"color": "@context", "width": 1.5, "dash": "dot"},
        "hoverinfo": "skip",
    }


def _trace(rows: Sequence[Bar], places: Sequence[float], axis: Axis, width: float) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "x": [axis.scaled(row.value) for row in rows],
        "y": list(places),
        "base": [axis.scaled(row.base) for row in rows],
        "width": width,
        "marker": {"color": [row.colour for row in rows], "line": {"width": 0}},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }


def _whiskers(rows: Sequence[Bar], places: Sequence[float], axis: Axis) -> list[dict[str, Any]]:
    """Return the intervals of the bars that have one, as thin lines on an invisible trace."""
    known = [(r, p) for r, p in zip(rows, places, strict=True) if r.low is not None and r.high is not None]
    if not known:
        return []
    ends = [row.base + row.value for row, _ in known]
    above = [axis.scaled((row.high or 0.0) - end) for (row, _), end in zip(known, ends, strict=True)]
    below = [axis.scaled(end - (row.low or 0.0)) for (row, _), end in zip(known, ends, strict=True)]
    spread = {"type": "data", "symmetric": False, "array": above, "arrayminus": below}
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [axis.scaled(end) for end in ends],
            "y": [place for _, place in known],
            "marker": {"size": 0.1, "color": "rgba(0,0,0,0)"},
            "error_x": {**spread, "color": "@ink", "thickness": 1.4, "width": 4},
            "hoverinfo": "skip",
            "cliponaxis": False,
        }
    ]


def _reach(row: Bar) -> list[float]:
    return [row.base, row.base + row.value, *(v for v in (row.low, row.high, row.second) if v is not None)]


def _label(row: Bar, place: int) -> dict[str, Any]:
    return {
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "y": place,
        "yanchor": "bottom",
        "yshift": 9,
        "text": f"{escape(row.label)}&nbsp; <b>{escape(row.shown)}</b>",
        "showarrow": False,
        "align": "left",
        "font": {"size": 14, "color": "@ink"},
    }


def _rule(at: float) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": at,
        "x1": at,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"color": "@context", "width": 1.5, "dash": "dot"},
        "layer": "below",
    }


def _note(at: float, text: str, *, right: bool) -> dict[str, Any]:
    return {
        "x": at,
        "xanchor": "right" if right else "left",
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "text": escape(text),
        "showarrow": False,
        "font": {"size": 13, "color": "@muted"},
    }


def _layout(height: int) -> dict[str, Any]:
    return {
        "height": height,
        "autosize": True,
        "margin": {"l": 0, "r": 12, "t": 12, "b": 48, "pad": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {
            "family": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
            "size": 14,
            "color": "@ink",
        },
        "showlegend": False,
        "dragmode": False,
        "hovermode": False,
        "separators": ",.",
        "barmode": "overlay",
    }
