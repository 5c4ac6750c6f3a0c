"""How the documentation is built: `make docs`, with Sphinx; pages are Markdown."""

project = "Deep-learning homework that grades itself"
author = "the course authors"
html_title = project
extensions = ["myst_parser"]
html_theme = "furo"
exclude_patterns = ["pictures/README.md"]
myst_heading_anchors = 3
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
