"""Numbers about the source itself: size, import circles, comments, long signatures, tuned constants."""

from __future__ import annotations

import ast
import io
import subprocess
import tarfile
import tempfile
import tokenize
from pathlib import Path

import networkx as nx
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
LARGE = 350
"""Lines of a file from which on it should be divided."""
PLAIN = (0, 1, 2, -1, 0.0, 0.5, 1.0, 2.0)
"""Numbers that nobody would tune."""


def measure_revisions(revisions: list[str]) -> pd.DataFrame:
    """Return one row per package and measure, with a column per revision and one for the working tree.

    Parameters
    ----------
    revisions : list of str
        Commits to compare the working tree with.
    """
    columns = {}
    for revision in revisions:
        with tempfile.TemporaryDirectory() as folder:
            archive = subprocess.run(
                ["git", "archive", revision, "gtm_opt"], cwd=ROOT, capture_output=True, check=True
            ).stdout
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                tar.extractall(folder, filter="data")
            columns[revision] = measure_source(Path(folder) / "gtm_opt")
    columns["now"] = measure_source(ROOT / "gtm_opt")
    return pd.DataFrame(columns).rename_axis(["package", "measure"]).reset_index()


def measure_source(package: Path) -> pd.Series:
    """Return the measures of a source tree, by (package, measure)."""
    modules = {_module_name(package, path): path for path in sorted(package.rglob("*.py"))}
    facts = pd.DataFrame({name: _measure_module(path) for name, path in modules.items()}).T
    facts["package"] = [name.split(".")[1] if "." in name else "(top)" for name in facts.index]
    loaded, late = (_import_circles(modules, late=late) for late in (False, True))
    out = {}
    groups = {"all": facts, **dict(list(facts.groupby("package")))}
    for name, group in groups.items():

        def count(circles: list[set[str]], prefix: str = "" if name == "all" else f"{package.name}.{name}.") -> int:
            return sum(all(f"{module}.".startswith(prefix) for module in circle) for circle in circles)

        out |= {
            (name, "files"): len(group),
            (name, "lines"): int(group["lines"].sum()),
            (name, f"files over {LARGE} lines"): int((group["lines"] > LARGE).sum()),
            (name, "comments per 100 lines"): round(100 * group["comments"].sum() / max(group["lines"].sum(), 1), 2),
            (name, "most positional arguments"): int(group["arguments"].max()),
            (name, "numeric constants outside parameter objects"): int(group["constants"].sum()),
            (name, "circles of imports"): count(loaded),
            (name, "circles with imports inside functions"): count(late),
        }
    return pd.Series(out)


def _module_name(package: Path, path: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _measure_module(path: Path) -> dict[str, int]:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    comments = sum(t.type == tokenize.COMMENT for t in tokenize.generate_tokens(io.StringIO(source).readline))
    return {
        "lines": len(source.splitlines()),
        "comments": comments,
        "arguments": max((len(f.args.posonlyargs) + len(f.args.args) for f in functions), default=0),
        "constants": sum(_is_tunable(node) for node in tree.body),
    }


def _is_tunable(node: ast.stmt) -> bool:
    """Whether a statement gives a module-level name a number that somebody may have chosen."""
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    if isinstance(value, ast.UnaryOp):
        value = value.operand
    return isinstance(value, ast.Constant) and type(value.value) in (int, float) and value.value not in PLAIN


def _import_circles(modules: dict[str, Path], *, late: bool) -> list[set[str]]:
    """Return the sets of modules that import one another: when they are loaded, or also inside functions."""
    graph = nx.DiGraph()
    for name, path in modules.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        loaded = _loaded_statements(tree.body)
        inside = [n for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)] if late else []
        for node in (*loaded, *inside):
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                for alias in node.names:
                    full = f"{node.module}.{alias.name}"
                    target = full if full in modules else node.module
                    if target in modules and target != name:
                        graph.add_edge(name, target)
    return [c for c in nx.strongly_connected_components(graph) if len(c) > 1]


def _loaded_statements(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements that run when a module is loaded, without those for type checkers."""
    out: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.If):
            typing_only = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
            out += _loaded_statements(node.orelse if typing_only else [*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            out += _loaded_statements(node.body)
        else:
            out.append(node)
    return out
