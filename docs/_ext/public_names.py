"""A directive that documents the public names of one package, so that the reference is never stale.

``.. public-names:: carving`` documents every name in ``gtm_opt.__all__`` that is defined in
``gtm_opt.carving``. The build warns, and so fails, when a public name belongs to no page.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, Any

from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

import gtm_opt

if TYPE_CHECKING:
    from docutils.nodes import Node
    from sphinx.application import Sphinx

_logger = logging.getLogger(__name__)


@cache
def exports() -> dict[str, frozenset[str]]:
    """Return the names that each package offers."""
    rooms = sorted(found.name for found in pkgutil.iter_modules(gtm_opt.__path__) if found.name != "cli")
    return {room: frozenset(getattr(importlib.import_module(f"gtm_opt.{room}"), "__all__", ())) for room in rooms}


def room_of(name: str) -> str:
    """Return the package that a public name belongs to: where it is defined, else the one that offers it."""
    value = getattr(gtm_opt, name)
    module = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None) or ""
    parts = module.split(".")
    if parts[0] == "gtm_opt" and len(parts) > 1:
        return parts[1]
    return next((room for room, names in exports().items() if name in names), "none")


def names_of(room: str) -> list[str]:
    """List the public names of a package, sorted."""
    return sorted(name for name in gtm_opt.__all__ if name != "__version__" and room_of(name) == room)


def described(name: str) -> str:
    """Return the reStructuredText that documents one public name."""
    value = getattr(gtm_opt, name)
    if inspect.ismodule(value):
        return f".. automodule:: {value.__name__}\n   :members:\n   :imported-members:\n"
    if inspect.isclass(value):
        # what a class has from a base of ours is its own for the reader
        ours = any(base.__module__.startswith("gtm_opt.") for base in value.__mro__[1:])
        inherited = "   :inherited-members: object\n" if ours and not issubclass(value, Exception) else ""
        return f".. autoclass:: gtm_opt.{name}\n   :members:\n{inherited}"
    if inspect.isroutine(value):
        return f".. autofunction:: gtm_opt.{name}\n"
    # A constant or the name of a type: the value says it; autodoc would show the text of its class.
    return f".. py:data:: gtm_opt.{name}\n   :value: {' '.join(str(value).split())[:100]}\n"


class PublicNames(SphinxDirective):
    """Document the public names of one package."""

    required_arguments = 1

    def run(self) -> list[Node]:
        """Return the nodes of the names, in alphabetical order."""
        room = self.arguments[0]
        documented: set[str] = self.env.__dict__.setdefault("documented_rooms", set())
        documented.add(room)
        text = "\n".join(described(name) for name in names_of(room))
        return self.parse_text_to_nodes(text) if text else []


def report_undocumented(app: Sphinx, env: Any) -> None:
    """Warn about public names whose package has no page."""
    documented = getattr(env, "documented_rooms", set())
    for name in sorted(gtm_opt.__all__):
        if name != "__version__" and room_of(name) not in documented:
            _logger.warning("gtm_opt.%s is public, but package '%s' has no reference page", name, room_of(name))


def keep_sentences(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Keep napoleon from reading "One row per account: ..." of a property as "type: text"."""
    if what in ("property", "attribute") and lines and ": " in lines[0]:
        before, after = lines[0].split(": ", 1)
        lines[:1] = [f"{before}:", after]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("public-names", PublicNames)
    app.connect("env-check-consistency", report_undocumented)
    app.connect("autodoc-process-docstring", keep_sentences, priority=100)
    return {"version": "1", "parallel_read_safe": False}
