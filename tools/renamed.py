"""A script with other names: what it binds is called q0, q1, ...; lines stay where they are."""

import ast
import io
import tokenize


def renamed(source: str) -> str:
    """The script with other names for what it binds; names that are attributes, keywords of calls, imports,
    functions or classes as well stay as they are.
    """
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    kept = {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    kept |= {n.arg for n in nodes if isinstance(n, ast.keyword) and n.arg}
    kept |= {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}
    for n in nodes:
        if isinstance(n, (ast.Import, ast.ImportFrom)):
            kept |= {(a.asname or a.name).split(".")[0] for a in n.names}
        elif isinstance(n, ast.ClassDef):  # fields are asked for by name
            kept |= {m.id for m in ast.walk(n) if isinstance(m, ast.Name) and isinstance(m.ctx, ast.Store)}
    if any(isinstance(n, ast.Name) and n.id in ("locals", "globals", "eval", "exec", "vars") for n in nodes):
        return source
    texts = [n for n in nodes if isinstance(n, ast.JoinedStr)]
    fields = {n.id for text in texts for n in ast.walk(text) if isinstance(n, ast.Name)}
    own = sorted(b for b in bound - kept - fields if len(b) > 1 or b.islower())
    new = {name: f"q{i}" for i, name in enumerate(own) if not name.startswith("__") and name != "self"}
    return aligned(source, new)


def aligned(source: str, new: dict[str, str]) -> str:
    """The source with names exchanged in place, each line by itself."""
    lines = source.splitlines(keepends=True)
    places = [
        (t.start[0], t.start[1], t.end[1], t.string)
        for t in tokenize.generate_tokens(io.StringIO(source).readline)
        if t.type == tokenize.NAME and t.string in new
    ]
    for line, start, end, name in reversed(places):
        text = lines[line - 1]
        if text[:start].rstrip().endswith("."):
            continue
        lines[line - 1] = text[:start] + new[name] + text[end:]
    return "".join(lines)
