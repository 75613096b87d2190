"""What a program that embeds the package may rely on at import time, and what is shipped."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
import os
import pkgutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import gtm_opt

HEAVY = (
    "cleanco",
    "dask",
    "distributed",
    "duckdb",
    "highspy",
    "jinja2",
    "matplotlib",
    "numba",
    "openpyxl",
    "ortools",
    "plotly",
    "pulp",
    "pyarrow",
    "rapidfuzz",
    "rich",
    "sklearn",
    "splink",
    "tqdm",
    "typer",
)

# Public names that are meant to be modules.
ROOMS_IN_PUBLIC = {"datasets", "errors", "measures", "reporting", "solvers", "testing"}


def run_python(code: str, root: Path) -> str:
    """Run code in a new interpreter, from the checkout; return what it printed."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONWARNINGS", "PYTHONSTARTUP")}
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def public_names() -> list[str]:
    return sorted(getattr(gtm_opt, "__all__", []))


def test_importing_loads_no_heavy_package(root: Path) -> None:
    code = f"import gtm_opt, sys, json; print(json.dumps([n for n in {HEAVY!r} if n in sys.modules]))"
    assert json.loads(run_python(code, root)) == []


def test_looking_up_every_public_name_loads_no_heavy_package(root: Path) -> None:
    """Heavy packages are for calls, not for names. (Pandas itself loads pyarrow where that is installed.)"""
    names = tuple(name for name in HEAVY if name != "pyarrow")
    code = f"""
import gtm_opt, sys, json
for name in gtm_opt.__all__:
    getattr(gtm_opt, name)
print(json.dumps([name for name in {names!r} if name in sys.modules]))
"""
    assert json.loads(run_python(code, root)) == []


def test_importing_takes_less_than_half_a_second(root: Path) -> None:
    """Processor time, the best of five, so that a busy machine does not decide."""
    code = "import time; t = time.process_time(); import gtm_opt; print(time.process_time() - t)"
    assert min(float(run_python(code, root)) for _ in range(5)) < 0.5


def test_importing_changes_nothing_global(root: Path) -> None:
    code = """
import json, logging, os, random, signal, sys, warnings
def state():
    loggers = [logging.getLogger()] + [
        x for n, x in sorted(logging.Logger.manager.loggerDict.items())
        if isinstance(x, logging.Logger) and n.startswith("gtm_opt")
    ]
    return {
        "handlers": [type(h).__name__ for x in loggers for h in x.handlers if not isinstance(h, logging.NullHandler)],
        "level": logging.getLogger("gtm_opt").level,
        "filters": len(warnings.filters),
        "random": hash(random.getstate()),
        "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        "environment": sorted(os.environ),
        "folder": os.getcwd(),
        "path": sys.path,
    }
before = state()
import gtm_opt
after = state()
print(json.dumps([name for name in before if before[name] != after[name]]))
"""
    assert json.loads(run_python(code, root)) == []


def test_importing_does_not_touch_numpys_global_generator(root: Path) -> None:
    code = """
import numpy as np
before = np.random.get_state()[1].tolist()
import gtm_opt
for name in gtm_opt.__all__:
    getattr(gtm_opt, name)
print(np.random.get_state()[1].tolist() == before)
"""
    assert run_python(code, root).strip() == "True"


def test_the_version_is_the_one_of_the_metadata() -> None:
    assert gtm_opt.__version__ == importlib.metadata.version("gtm-opt")


def test_the_version_is_the_same_everywhere(root: Path) -> None:
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"version: {version}" in (root / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## {version}" in (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert importlib.metadata.version("gtm-opt") == version


def test_there_are_public_names_and_all_can_be_had() -> None:
    assert public_names()
    assert [name for name in public_names() if not hasattr(gtm_opt, name)] == []
    assert set(public_names()) <= set(dir(gtm_opt))


def test_no_room_hides_a_public_name_once_it_is_loaded(root: Path) -> None:
    """Python sets a subpackage as an attribute of its parent, over a function of the same name."""
    code = """
import importlib, json, pkgutil, types
import gtm_opt
for found in pkgutil.iter_modules(gtm_opt.__path__, "gtm_opt."):
    importlib.import_module(found.name)
values = {name: getattr(gtm_opt, name) for name in gtm_opt.__all__}
print(json.dumps([n for n, v in values.items() if isinstance(v, types.ModuleType) and not callable(v)]))
"""
    assert [name for name in json.loads(run_python(code, root)) if name not in ROOMS_IN_PUBLIC] == []


def test_an_unknown_name_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = gtm_opt.no_such_name


@pytest.mark.parametrize("name", public_names())
def test_every_public_name_has_a_docstring(name: str) -> None:
    value = getattr(gtm_opt, name)
    if inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value):
        text = inspect.getdoc(value) or ""
        assert len(text.split()) >= 3, f"gtm_opt.{name} is not described"
        assert not text.startswith(f"{name}("), f"gtm_opt.{name} has only the text a dataclass makes by itself"


def test_every_package_and_module_has_a_docstring() -> None:
    missing = []
    for found in pkgutil.walk_packages(gtm_opt.__path__, "gtm_opt."):
        if not (importlib.import_module(found.name).__doc__ or "").strip():
            missing.append(found.name)
    assert missing == []


def test_the_wheel_holds_the_package_and_nothing_else(root: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode("utf-8")
        scripts = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode("utf-8")
    assert [name for name in names if not name.startswith(("gtm_opt/", "gtm_opt-"))] == []
    shipped = [name for name in names if name.startswith("gtm_opt/")]
    assert [name for name in shipped if not name.endswith((".py", ".csv", ".j2", "/py.typed"))] == []
    sources = [path for kind in ("*.py", "*.csv") for path in root.glob(f"gtm_opt/**/{kind}")]
    assert {path.relative_to(root).as_posix() for path in sources} <= set(shipped)
    assert "gtm_opt/py.typed" in shipped
    assert "License-Expression: MIT" in metadata
    assert "gtm-opt = gtm_opt.cli:main" in scripts


def test_nothing_in_the_package_prints_or_is_left_undone(root: Path) -> None:
    """The command line may print; docstrings may show how."""
    marks = ("TODO", "FIXME", "XXX", "NotImplementedError")
    found = []
    for path in sorted((root / "gtm_opt").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found += [f"{path.relative_to(root)}: {mark}" for mark in marks if mark in text]
    assert found == []
