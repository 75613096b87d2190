"""Which module may import which heavy package, and that it happens late.

Import-linter keeps the rooms in order (``dev.py lint``). Here it is the modules: every heavy
package has modules meant for it, and a module that is loaded by ``import gtm_opt`` may only import
it inside a function.
"""

from __future__ import annotations

import ast
import fnmatch
from pathlib import Path

import pytest

# package -> the modules that may import it (patterns over "room/module.py")
PLACES = {
    "cleanco": ["records/*"],
    "dask": ["*dask*.py", "*executor*.py"],
    "distributed": ["*dask*.py", "*executor*.py"],
    "duckdb": ["records/*"],
    "highspy": [],
    "jinja2": ["reporting/*"],
    "k_means_constrained": ["*peers.py"],
    "matplotlib": ["reporting/*"],
    "numba": ["*kernel*"],
    "openpyxl": ["plan/*excel*.py", "plan/*workbook*.py", "plan/export*.py", "cli*"],
    "ortools": ["*cpsat*.py", "*cp_sat*.py", "*flow*.py", "*pdlp*.py"],
    "plotly": ["reporting/*"],
    "prtpy": ["*peers.py"],
    "pulp": ["*pulp*.py"],
    "pyarrow": ["*parquet*.py", "*table*.py", "*io*.py", "cli*"],
    "pymetis": ["*peers.py"],
    "rapidfuzz": ["records/*"],
    "rich": ["cli*"],
    "sklearn": ["market/*"],
    "splink": ["records/*"],
    "tqdm": ["*progress*.py", "*bars.py"],
    "typer": ["cli*"],
}

# Modules that nothing imports at module level: there a heavy package may stand on top.
LOADED_LATE = {
    "numba": ["*kernel*"],
    "typer": ["cli*"],
    "rich": ["cli*"],
}


def heavy_imports(path: Path) -> list[tuple[str, bool, int]]:
    """List (package, inside a function, line) for each heavy import, leaving out those for annotations."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: list[tuple[str, bool, int]] = []

    def visit(node: ast.AST, late: bool) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                visit(child, late)
            return
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module") and node.args:
            first = node.args[0]
            names = [first.value] if isinstance(first, ast.Constant) and isinstance(first.value, str) else []
        found.extend((name.split(".")[0], late, node.lineno) for name in names if name.split(".")[0] in PLACES)
        inside = late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(tree, late=False)
    return found


def matches(place: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatch(place, pattern) for pattern in patterns)


def findings(package: Path) -> list[str]:
    """List every heavy import that stands in the wrong module, or too early."""
    wrong = []
    for path in sorted(package.rglob("*.py")):
        place = path.relative_to(package).as_posix()
        for name, late, line in heavy_imports(path):
            if not matches(place, PLACES[name]):
                wrong.append(f"{place}:{line} imports {name}, meant for {PLACES[name] or 'nobody'}")
            elif not late and not matches(place, LOADED_LATE.get(name, [])):
                wrong.append(f"{place}:{line} imports {name} at module level, not inside a function")
    return wrong


def test_heavy_packages_are_imported_late_and_by_their_own_modules(root: Path) -> None:
    assert findings(root / "gtm_opt") == []


@pytest.mark.parametrize(
    ("place", "text", "expected"),
    [
        ("measures/balance.py", "def f():\n    import ortools.sat\n", "measures/balance.py:2 imports ortools, meant"),
        ("solvers/cpsat.py", "from ortools.sat.python import cp_model\n", "cpsat.py:1 imports ortools at module level"),
        ("solvers/search.py", "import numba\n", "solvers/search.py:1 imports numba, meant"),
        ("carving/core.py", "def f():\n    import highspy\n", "imports highspy, meant for nobody"),
        ("plan/x.py", "import importlib\nimportlib.import_module('pulp')\n", "plan/x.py:2 imports pulp, meant"),
    ],
)
def test_a_broken_import_rule_is_found(tmp_path: Path, place: str, text: str, expected: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    found = findings(tmp_path)
    assert len(found) == 1
    assert expected in found[0]


def test_imports_for_annotations_are_allowed(tmp_path: Path) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import matplotlib\n"
    (tmp_path / "anything.py").write_text(text, encoding="utf-8")
    assert findings(tmp_path) == []
