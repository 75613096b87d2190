"""Loading a saved plan: the manifest checked, the tables verified, the objects made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gtm_opt.carving.state import restore_carving, without_proofs
from gtm_opt.errors import DataError, shorten
from gtm_opt.model.codec import decode
from gtm_opt.model.table_io import read_table
from gtm_opt.plan.store import KIND, MANIFEST, SCHEMA, checksum, seal

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd

    from gtm_opt.plan.plan import Plan

__all__ = ["load_plan"]

_NAMED_USD = ("capacity", "quotas")
"""Tables of a plan whose amounts ended in ``_usd`` up to schema 1."""


def _present_name(column: str) -> str:
    return {"plan_usd": "target"}.get(column, column.removesuffix("_usd"))


def load_plan(folder: str | PathLike[str], verify: bool) -> Plan:
    """Read the folder of a saved plan."""
    from gtm_opt.plan.plan import Plan

    root = Path(folder)
    manifest = read_manifest(root)
    _check_files(root, manifest, verify)
    cache: dict[str, pd.DataFrame] = {}

    def get(name: str) -> pd.DataFrame:
        if name not in manifest["tables"]:
            raise DataError(f"the saved plan in '{root}' lacks the table '{name}'. Save it again.")
        if name not in cache:
            meta = manifest["tables"][name]
            cache[name] = read_table(root / meta["file"], meta, manifest["format"])
            if int(manifest["schema"]) < 2 and name in _NAMED_USD:
                cache[name].columns = cache[name].columns.map(_present_name)
        return cache[name]

    state = manifest["plan"]
    carving = restore_carving(decode(state["carving"], get), get)
    if not _is_untouched(root, manifest):
        carving = without_proofs(carving, "the files were changed after the plan was saved")
    further = (decode(state.get(part), get) for part in ("staffing", "capacity", "quotas", "roles", "people"))
    return Plan(carving, *further)


def read_manifest(root: Path) -> dict[str, Any]:
    """Return the manifest, or say why this folder cannot be read.

    Raises
    ------
    DataError
        For a folder without a manifest, a broken one, and one of a newer schema.
    """
    path = root / MANIFEST
    if not path.is_file():
        what = "no such folder" if not root.is_dir() else f"no {MANIFEST} in it"
        raise DataError(f"`folder` must hold a saved plan, got '{root}': {what}. Give the folder that Plan.save wrote.")
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        schema = int(manifest["schema"])
        kind = manifest["kind"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"'{path}' is not the manifest of a plan, or was damaged: {error}. Save the plan again."
        ) from error
    if kind != KIND:
        raise DataError(f"'{path}' describes a '{kind}', not a {KIND}.")
    if schema > SCHEMA:
        raise DataError(
            f"the plan in '{root}' was saved with schema {schema} (gtm_opt {manifest.get('gtm_opt', '?')}), this "
            f"version reads up to schema {SCHEMA}. Upgrade gtm_opt to load it; nothing was read."
        )
    return manifest


def _check_files(root: Path, manifest: dict[str, Any], verify: bool) -> None:
    files = {meta["file"]: meta["sha256"] for meta in manifest["tables"].values()}
    missing = [name for name in files if not (root / name).is_file()]
    if missing:
        raise DataError(
            f"the saved plan in '{root}' lacks {len(missing)} files: {shorten(missing)}. Restore or save again."
        )
    if not verify:
        return
    changed = [name for name, expected in files.items() if checksum(root / name) != expected]
    if changed:
        raise DataError(
            f"{len(changed)} files in '{root}' were changed after the plan was saved: {shorten(changed)}.\n"
            "    Restore them, or pass verify=False to take the edited tables as they are."
        )


def _is_untouched(root: Path, manifest: dict[str, Any]) -> bool:
    """Whether manifest and tables are those that were saved (plans before schema 2 have no seal: their tables are)."""
    if ("seal" in manifest or int(manifest["schema"]) >= 2) and manifest.get("seal") != seal(manifest):
        return False
    return all(checksum(root / meta["file"]) == meta["sha256"] for meta in manifest["tables"].values())
