"""Saving a plan: a folder with a manifest and tables, replaced as a whole or not at all."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gtm_opt.carving.state import carving_state
from gtm_opt.errors import DataError, shorten
from gtm_opt.model.codec import encode
from gtm_opt.model.table_io import SUFFIX, write_table
from gtm_opt.plan.exchange import current_umask, exchange

if TYPE_CHECKING:
    import pandas as pd

    from gtm_opt.model.table_io import Format
    from gtm_opt.plan.plan import Plan

__all__ = ["KIND", "MANIFEST", "SCHEMA", "WORKBOOK", "checksum", "save_plan", "seal"]

KIND = "gtm_opt plan"
MANIFEST = "manifest.json"
WORKBOOK = "plan.xlsx"
LEFTOVER_SECONDS = 3_600.0
_MARKED, _AS_IS = "an apostrophe marks what looks like a formula", "as they are"
SCHEMA = 3
"""Version of the layout below. A reader takes this one and older ones (3: text that looks like a formula is marked)."""


def save_plan(plan: Plan, folder: str | os.PathLike[str], format: Format, excel: bool, raw_cells: bool = False) -> Path:
    """Write ``plan`` into a temporary sibling of ``folder``, then swap it in."""
    if format not in SUFFIX:
        raise DataError(f"`format` must be 'csv' or 'parquet', got {format!r}.")
    target = Path(folder).absolute()
    _refuse_strangers(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(target)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent))
    try:
        os.chmod(draft, 0o777 & ~current_umask())
        _write(plan, draft, format, excel, raw_cells)
        _swap(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Path(folder)


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(manifest: dict[str, Any]) -> str:
    """Return a hash over what a manifest says of the plan and its tables: edited by hand, it no longer fits."""
    text = json.dumps({key: manifest[key] for key in ("plan", "tables")}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _clear_leftovers(target: Path) -> None:
    """Remove drafts of this plan that earlier crashes left behind; those of the last hour may be at work."""
    for suffix in (".new", ".old"):
        for leftover in target.parent.glob(f".{glob.escape(target.name)}.*{suffix}"):
            if leftover.is_dir() and time.time() - leftover.stat().st_mtime > LEFTOVER_SECONDS:
                shutil.rmtree(leftover, ignore_errors=True)


def _refuse_strangers(target: Path) -> None:
    """Refuse a folder with anything in it that a saved plan did not put there: it would be lost."""
    if not target.exists():
        return
    if not target.is_dir():
        raise DataError(f"`folder` must be a folder, '{target.name}' is a file. Choose another name.")
    known = {MANIFEST}
    manifest = target / MANIFEST
    if manifest.is_file():
        try:
            known |= set(json.loads(manifest.read_text(encoding="utf-8"))["files"])
        except (ValueError, KeyError, TypeError):
            known = {MANIFEST}
    there = sorted(p.relative_to(target).as_posix() for p in target.rglob("*") if not p.is_dir())
    strange = [name for name in there if name not in known]
    if strange:
        raise DataError(
            f"`folder` '{target.name}' holds files that no saved plan put there: {shorten(strange)}.\n"
            "    They would be lost. Move them away, or save into another folder."
        )


def _swap(draft: Path, target: Path) -> None:
    """Put ``draft`` where ``target`` is, so that a crash at any moment leaves the old plan or the new one there."""
    if not target.exists():
        os.replace(draft, target)
        return
    if exchange(draft, target):
        return  # what was there is now the draft, which the caller removes
    # file systems that cannot exchange: between the two renames nothing is at the path
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
    os.replace(target, old / "plan")
    try:
        os.replace(draft, target)
    except OSError:
        os.replace(old / "plan", target)
        raise
    finally:
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)


def _write(plan: Plan, folder: Path, format: Format, excel: bool, raw_cells: bool) -> None:
    tables = dict(plan.tables)
    names = {id(frame): name for name, frame in tables.items()}
    names[id(plan.carving.problem.accounts)] = "accounts"

    def put(frame: pd.DataFrame, hint: str) -> str:
        name = names.get(id(frame))
        if name is None:
            name = hint if hint not in tables else f"{hint}_{len(tables)}"
            tables[name], names[id(frame)] = frame, name
        return name

    state = {
        "carving": carving_state(plan.carving, put),
        "staffing": encode(plan.staffing, put, "staffing"),
        "capacity": encode(plan.capacity, put, "capacity"),
        "quotas": encode(plan.quotas, put, "quotas"),
        "roles": encode(plan.roles, put, "roles"),
        "people": encode(plan.people, put, "people"),
    }
    described: dict[str, Any] = {}
    for name, frame in tables.items():
        file = name + SUFFIX[format]
        described[name] = {"file": file, **write_table(frame, folder / file, format, raw=raw_cells)}
        described[name]["sha256"] = checksum(folder / file)
    (folder / "summary.txt").write_text(plan.summary() + "\n", encoding="utf-8")
    if excel:
        plan.to_excel(folder / WORKBOOK)
    files = sorted(p.name for p in folder.iterdir())
    manifest = {
        "kind": KIND,
        "schema": SCHEMA,
        "gtm_opt": _version(),
        "format": format,
        "text_cells": "as they are"
        if raw_cells or format != "csv"
        else "an apostrophe marks what looks like a formula",
        "files": files,
        "plan": state,
        "tables": described,
    }
    manifest["seal"] = seal(manifest)
    text = json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _version() -> str:
    try:
        return version("gtm-opt")
    except PackageNotFoundError:
        return "unknown"
