"""How the documentation is built: sphinx-build -W docs site."""

import hearspike

project = "hearspike"
author = "The hearspike authors"
copyright = author
release = hearspike.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.apidoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["examples"]

myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]

apidoc_modules = [
    {
        "path": "../src/hearspike",
        "destination": "reference",
        "follow_links": True,
        "separate_modules": True,
        "module_first": True,
        "automodule_options": {"members", "show-inheritance"},
        "exclude_patterns": ["../src/hearspike/__main__.py", "../src/hearspike/conf"],
    }
]
# A package lists what it exports; it is documented in the module that defines it.
autodoc_default_options = {"ignore-module-all": True}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_mock_imports = ["espeakng_loader"]
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = "hearspike"
html_static_path: list[str] = []
