"""From a TOML file to a `Config`, or to one message with every mistake in it."""

from __future__ import annotations

import re
import tomllib
import types
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from gtm_opt.cli.config import Config
from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.errors import warn_renamed
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["read_config"]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KINDS = "balance", "prefer", "rules"
_RENAMED = {
    "roles": {"productivity_usd_py": "productivity_py"},
    "quota": {"target_usd": "target"},
}
"""Words of the last release by section, understood for one release more."""


def read_config(path: Path) -> Config:
    """Read a config file.

    Raises
    ------
    UserMistakeError
        When the file is missing, is no TOML, or says what no config can say; with the lines.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserMistakeError(f"There is no config file '{path}'. Write one with: gtm-opt init {path.name}") from None
    except UnicodeDecodeError as error:
        raise UserMistakeError(f"'{path}' must be UTF-8 text: {error}. Save it as UTF-8.") from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserMistakeError(f"'{path}' is not valid TOML: {error}.{_toml_hint(text, str(error))}") from None
    try:
        return Config.model_validate(_with_present_words(data, path))
    except ValidationError as error:
        found = [_describe(detail, text) for detail in error.errors(include_url=False)]
        count = "1 thing is" if len(found) == 1 else f"{len(found)} things are"
        lines = "\n".join(f"{n}. {line}" if len(found) > 1 else line for n, line in enumerate(found, 1))
        raise UserMistakeError(f"{count} wrong in '{path}':\n{lines}") from None


def _with_present_words(data: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the data with words of the last release replaced, each with a warning."""
    out = dict(data)
    for section, words in _RENAMED.items():
        entries = out.get(section)
        for entry in entries if isinstance(entries, list) else [entries]:
            if not isinstance(entry, dict):
                continue
            for old in [word for word in words if word in entry]:
                if words[old] not in entry:
                    warn_renamed(f"{path.name}, [{section}] {old}", words[old])
                    entry[words[old]] = entry.pop(old)
    return out


def _toml_hint(text: str, message: str) -> str:
    at = re.search(r"line (\d+)", message)
    if at is None:
        return ""
    lines = text.splitlines()
    number = int(at[1])
    line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    return (
        f'\n    {number} | {line}\n    Text needs quotes ("..."), lists need brackets, true and false are lower case.'
    )


def _describe(detail: ErrorDetails, text: str) -> str:
    loc = tuple(part for part in detail["loc"])
    plain = _without_tags(loc)
    line = find_line(text, plain)
    where = _spell(plain) + (f" (line {line})" if line else "")
    kind = detail["type"]
    if kind == "extra_forbidden":
        known = _known_words(loc[:-1])
        return f"{where} is no word of this section. {did_you_mean(str(loc[-1]), known, shown=40)}"
    if kind == "missing":
        return f"{where} is missing."
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        known = _kinds(loc)
        got = detail.get("ctx", {}).get("tag")
        if got is None:
            return f"{where} needs kind = one of {', '.join(known)}."
        return f"{where} has the unknown kind '{got}'. {did_you_mean(str(got), known)}"
    message = detail["msg"].removeprefix("Value error, ")
    got = detail["input"]
    shown = f", got {got!r}" if isinstance(got, str | int | float | bool) else ""
    return f"{where}: {message[:1].lower() + message[1:]}{shown}."


def _without_tags(loc: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the location without the names of kinds that pydantic puts in, and of parts of unions."""
    out: list[Any] = []
    for at, part in enumerate(loc):
        after_index = at >= 2 and isinstance(loc[at - 1], int) and loc[at - 2] in _KINDS
        if after_index and isinstance(part, str):
            continue
        if isinstance(part, str) and re.match(r"^(str|int|float|bool|list|dict|function)(\[|$|-)", part):
            continue
        out.append(part)
    return tuple(out)


def _spell(loc: tuple[Any, ...]) -> str:
    """Return a location as people write it: [accounts] file, [[balance]] number 2."""
    if not loc:
        return "the file"
    if len(loc) == 1:
        return f"[{loc[0]}]"
    if isinstance(loc[1], int):
        rest = ".".join(str(p) for p in loc[2:])
        return f"[[{loc[0]}]] number {loc[1] + 1}" + (f", {rest}" if rest else "")
    parts = [f"{p + 1}" if isinstance(p, int) else str(p) for p in loc[1:]]
    return f"[{loc[0]}] {'.'.join(parts)}"


def _known_words(loc: tuple[Any, ...]) -> list[str]:
    """Return the words a section may hold."""
    at: list[type[BaseModel]] = [Config]
    for part in loc:
        if isinstance(part, int):
            continue
        tagged = [m for m in at if part in get_args(getattr(m.model_fields.get("kind"), "annotation", None))]
        if tagged:
            at = tagged
            continue
        fields = [m.model_fields[part] for m in at if part in m.model_fields]
        at = [model for field in fields for model in _models(field.annotation)] or at
    return list(dict.fromkeys(name for model in at for name in model.model_fields))


def _kinds(loc: tuple[Any, ...]) -> list[str]:
    """Return the kinds an entry of a list may have."""
    field = Config.model_fields.get(str(loc[0]))
    models = _models(field.annotation) if field is not None else []
    return [str(get_args(model.model_fields["kind"].annotation)[0]) for model in models]


def _models(annotation: Any) -> list[type[BaseModel]]:
    origin = get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if origin is Annotated:
        return _models(get_args(annotation)[0])
    if origin in (Union, types.UnionType, list, dict):
        return [model for part in get_args(annotation) for model in _models(part)]
    return []


def find_line(text: str, loc: tuple[Any, ...]) -> int | None:
    """Return the line of a key, or of the section it should be in; None where it cannot be told."""
    names = [str(p) for p in loc if not isinstance(p, int)]
    index = next((p for p in loc if isinstance(p, int)), 0)
    best: int | None = None
    section: list[str] = []
    seen: dict[str, int] = {}
    count = 0
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header is not None:
            section = [part.strip().strip("\"'") for part in header[2].split(".")]
            name = ".".join(section)
            if header[1] == "[[":
                seen[name] = seen.get(name, -1) + 1
            count = max((seen.get(".".join(section[:k]), 0) for k in range(1, len(section) + 1)), default=0)
            if section == names[: len(section)] and count == index:
                best = number
            continue
        depth = len(section)
        inside = section == names[:depth] and count == index and len(names) > depth
        if inside and re.match(rf"^\s*[\"']?{re.escape(names[depth])}[\"']?\s*[.=]", line):
            best = number
            if len(names) == depth + 1:
                return number
    return best
