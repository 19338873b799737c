"""The figures are what Plotly takes, and the script on the page is of the version that the manifest names."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zlib import MAX_WBITS, decompress

import plotly
import pytest
from plotly import graph_objects
from plotly.offline import get_plotlyjs_version

from akb.report import assemble
from akb.report.context import Context
from akb.report.page import html
from akb.report.page.figures import figures
from tests.report import fixtures

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle


def coloured(node: Any) -> Any:
    """Return a figure with a colour in the place of every role: the page fills them in."""
    if isinstance(node, dict):
        return {key: coloured(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [coloured(value) for value in node]
    return "#123456" if isinstance(node, str) and node.startswith("@") else node


def drawn(bundle: RunBundle) -> dict[str, dict[str, Any]]:
    context = Context(bundle)
    plots = figures(assemble.build(bundle, context), context.words)
    return {name: coloured(figure.plot) for name, figure in plots.items()}


def test_every_figure_is_one_that_plotly_takes(full: RunBundle) -> None:
    every = drawn(full)
    assert len(every) >= 10
    for name, figure in every.items():
        whole = graph_objects.Figure(data=figure["data"], layout=figure["layout"])
        assert len(whole.data) == len(figure["data"]), name


@pytest.mark.parametrize("name", sorted(fixtures.poor()))
def test_so_are_those_of_a_poor_export(name: str) -> None:
    for figure in drawn(fixtures.poor()[name]).values():
        graph_objects.Figure(data=figure["data"], layout=figure["layout"])


def test_a_property_that_plotly_does_not_have_would_be_seen() -> None:
    with pytest.raises(ValueError, match="Invalid property"):
        graph_objects.Figure(data=[{"type": "bar", "lenght": [1]}])


def test_the_script_is_of_the_version_that_checks_the_figures(page: str) -> None:
    assert html.script_version() == get_plotlyjs_version(), plotly.__version__
    held = re.search(r'<script type="text/plain" id="packed" data-size="(\d+)">([^<]+)</script>', page)
    assert held is not None
    script = decompress(b64decode(held[2]), wbits=-MAX_WBITS)
    assert len(script) == int(held[1])
    assert f"plotly.js (basic - minified) v{html.script_version()}".encode() in script[:300]
    assert b64encode(sha256(script).digest()).decode() in page  # the policy lets it run
