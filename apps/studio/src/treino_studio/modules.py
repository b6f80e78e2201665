"""JavaScript modules joined into one script that needs no loader: each module is a function that runs once.

Modules import and export in a few simple forms, and any other is refused.
"""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from rjsmin import jsmin

IMPORT = re.compile(r"^import \{([^}]*)\} from '(\.[^']*\.js)';$", re.M)
NAME = r"[A-Za-z_$][\w$]*"
EXPORT = re.compile(
    rf"^export (?=(?:async )?function\*? ({NAME})\(|class ({NAME})\b|const ({NAME}) = )", re.M
)
OTHER_FORM = re.compile(r"^export\b.*|^import\b.*['\"].*|\bimport\s*\(.*", re.M)
NAMED = re.compile(rf"({NAME})(?: as ({NAME}))?")


def joined(root: Path, entries: Mapping[str, str], instead: Mapping[str, str] = MappingProxyType({})) -> str:
    """A script with modules and all that they import, as functions that run once, when they are first called.

    root: the folder where module names start. entries: names of functions, each of which returns what a
    module exports: ``{"worker": "web/worker.js"}``. instead: modules, each with its replacement.

    Raises:
        ValueError: a module imports or exports in another form, imports what doesn't exist, or a cycle.
    """
    order: dict[str, str] = {}
    for entry in entries.values():
        _add(root, entry, instead, (), order)
    names = {name: set(_exports(text)) for name, text in order.items()}
    calls = {name: f"m${number}" for number, name in enumerate(order)}
    parts = [_function(name, text, names, calls, instead) for name, text in order.items()]
    ends = [f"const {name} = {calls[entry]};" for name, entry in entries.items()]
    return "\n".join(["'use strict';", "const once = (make, made) => () => made ??= make();", *parts, *ends])


def _add(
    root: Path, name: str, instead: Mapping[str, str], above: tuple[str, ...], order: dict[str, str]
) -> None:
    """Add a module to the modules so far, after those that it imports."""
    if name in above:
        raise ValueError(f"modules import each other: {' → '.join((*above, name))}")
    if name in order:
        return
    path = root / name
    if not path.is_file():
        raise ValueError(f"{above[-1] if above else 'the page'} imports {name}, which is not there")
    text = path.read_text()
    for _, target in IMPORT.findall(text):
        _add(root, _place(name, target, instead), instead, (*above, name), order)
    order[name] = text


def _place(name: str, target: str, instead: Mapping[str, str]) -> str:
    """The module that ``target`` names within the module ``name``."""
    parts: list[str] = []
    for part in (PurePosixPath(name).parent / target).parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    place = "/".join(parts)
    return instead.get(place, place)


def _exports(text: str) -> list[str]:
    return [next(filter(None, match)) for match in EXPORT.findall(text)]


def _function(
    name: str, text: str, names: dict[str, set[str]], calls: dict[str, str], instead: Mapping[str, str]
) -> str:
    def replaced(match: re.Match[str]) -> str:
        target, wanted = _place(name, match[2], instead), []
        for each in filter(None, (piece.strip() for piece in match[1].split(","))):
            named = NAMED.fullmatch(each)
            if named is None or named[1] not in names[target]:
                raise ValueError(f"{name} imports {each}, which {target} does not export")
            wanted.append(f"{named[1]}: {named[2]}" if named[2] else named[1])
        return f"const {{ {', '.join(wanted)} }} = {calls[target]}();"

    body = EXPORT.sub("", IMPORT.sub(replaced, text))
    if other := OTHER_FORM.search(body):
        raise ValueError(f"{name}: this form can't be joined: {other[0]}")
    exports = f"\nreturn {{ {', '.join(_exports(text))} }};"
    return f"const {calls[name]} = once(() => {{\n{jsmin(body + exports)}\n}});"
