"""The site of the documentation: `make docs` stages the pages and builds it, offline."""

project = "akb"
author = "The akb founders"
copyright = "The akb founders, MIT licence"  # noqa: A001
extensions = ["myst_parser"]
root_doc = "index"
html_theme = "alabaster"  # comes with Sphinx, asks nothing of the network
html_theme_options = {"page_width": "1100px", "sidebar_width": "240px", "fixed_sidebar": True}
html_sidebars = {"**": ["about.html", "searchfield.html", "globaltoc.html"]}
html_show_sourcelink = False
html_copy_source = False
myst_heading_anchors = 4
pygments_style = "friendly"
suppress_warnings = ["misc.highlighting_failure"]  # colours; every other warning is an error
nitpicky = True
