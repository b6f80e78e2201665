"""JavaScript modules joined into one script that needs no loader: each module is a function that runs once.

Modules import and export in a few simple forms, and any other is refused.
"""

import re
from pathlib import Path, PurePosixPath

IMPORT = re.compile(r"^import \{([^}]*)\} from '(\.[^']*\.js)';$", re.M)
NAME = r"[A-Za-z_$][\w$]*"
EXPORT = re.compile(
    rf"^export (?=(?:async )?function\*? ({NAME})\(|class ({NAME})\b|const ({NAME}) = )", re.M
)
OTHER_FORM = re.compile(
    r"^\s*import\b.*['\"].*|^\s*export\s*(?:[{*]|(?:default|let|var|const|function|class|async)\b).*"
    r"|.*\bimport(?:\(|\.meta\b).*",
    re.M,
)
NAMED = re.compile(rf"({NAME})(?: as ({NAME}))?")
COMMENT = re.compile(r"^\s*(?:/\*(?:[^*]|\*(?!/))*\*/\s*$|//.*$)\n?", re.M)


def joined(root: Path, entry: str) -> str:
    """A script with a module and all that it imports, as functions.

    ``modules["web/worker.js"]()`` is what that one exports.
    root: the folder that modules are named from. entry: the module that imports all others.

    Raises:
        ValueError: a module imports or exports in another form, what isn't there, or itself by way of others.
    """
    order: dict[str, str] = {}
    _add(root, entry, (), order)
    names = {name: set(_exports(text)) for name, text in order.items()}
    parts = [_function(name, text, names) for name, text in order.items()]
    return "\n".join(
        ["'use strict';", "const modules = {}, once = (make, made) => () => made ??= make();", *parts]
    )


def _add(root: Path, name: str, above: tuple[str, ...], order: dict[str, str]) -> None:
    """Add a module to the modules so far, behind those that it imports."""
    if name in above:
        raise ValueError(f"modules import each other: {' → '.join((*above, name))}")
    if name in order:
        return
    path = root / name
    if not path.is_file():
        raise ValueError(f"{above[-1] if above else 'the page'} imports {name}, which is not there")
    text = path.read_text()
    for _, target in IMPORT.findall(text):
        _add(root, _place(name, target), (*above, name), order)
    order[name] = text


def _place(name: str, target: str) -> str:
    """The module that ``target`` names within the module ``name``."""
    parts: list[str] = []
    for part in (PurePosixPath(name).parent / target).parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _exports(text: str) -> list[str]:
    return [next(filter(None, match)) for match in EXPORT.findall(text)]


def _function(name: str, text: str, names: dict[str, set[str]]) -> str:
    def replaced(match: re.Match[str]) -> str:
        target, wanted = _place(name, match[2]), []
        for each in filter(None, (piece.strip() for piece in match[1].split(","))):
            named = NAMED.fullmatch(each)
            if named is None or named[1] not in names[target]:
                raise ValueError(f"{name} imports {each}, which {target} does not export")
            wanted.append(f"{named[1]}: {named[2]}" if named[2] else named[1])
        return f"const {{ {', '.join(wanted)} }} = modules['{target}']();"

    body = EXPORT.sub("", IMPORT.sub(replaced, without_comments(text)))
    other = OTHER_FORM.search(body)
    if other is not None:
        raise ValueError(f"{name}: this form can't be joined: {other[0].strip()[:100]}")
    return f"modules['{name}'] = once(() => {{\n{body}return {{ {', '.join(_exports(text))} }};\n}});"


def without_comments(text: str) -> str:
    """The module without comments that fill lines, blank lines and indentation.

    What lies within a string of many lines could look like them: such a module stays as it is.
    """
    if any(line.count("`") % 2 for line in text.splitlines()):
        return text
    lines = (line.strip() for line in COMMENT.sub("", text).splitlines())
    return "\n".join(line for line in lines if line) + "\n"
