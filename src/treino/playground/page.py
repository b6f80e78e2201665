"""The playground as one HTML file: modules, words, styles, tables and both builds of the kernel.

The file needs nothing beside it, and its policy lets it ask for nothing: no request, no cookie, no code but
its own.
"""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from treino.playground.address import GENERATED
from treino.playground.modules import joined
from treino.playground.sentences import sentences
from treino.playground.tables import BUILTINS, table_of, tables_in_page
from treino.studio.page_words import page_words
from treino.words import languages

__all__ = ["IN_PAGE", "page", "table_of"]

PACKAGE = Path(__file__).parents[1]
STUDIO = PACKAGE / "studio" / "page"
DOORS = {"playground": "playground/web/playground.js", "worker": "playground/web/worker.js"}
INSTEAD = {  # what only a server's runs need
    f"studio/page/modules/{name}.js": "playground/web/left_out.js"
    for name in ("seen", "images", "remedies", "result", "members")
}
BUILDS = "relaxed", "exact"
IN_PAGE = *GENERATED, *BUILTINS  # data that every page has
LAST = """
if (typeof document === 'undefined') worker().answer(self);
else playground().start(document.currentScript.textContent);
"""  # one script: the page starts a worker with the same text


def page(table: Mapping[str, Any] | None = None, address: str = "") -> str:
    """The page's HTML. table: one of the reader's own, as ``tables.table_of`` makes it. address: what opens
    where its address says nothing, as ``address.address`` makes it."""
    script, style, body = _script(), _style(), _body()
    parts = {
        "builds": _builds(),
        "words": _words(),
        "tables": tables_in_page(),
        "table": table,
        "address": address,
    }
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}' 'wasm-unsafe-eval'; style-src '{_hash(style)}'; "
        "img-src data: blob:; worker-src blob:; connect-src 'none'; base-uri 'none'; form-action 'none'"
    )
    icon = quote((STUDIO / "icon.svg").read_text())
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>treino playground</title>
<link rel="icon" href="data:image/svg+xml,{icon}">
<style>{style}</style>
</head>
<body>{body}<noscript>JavaScript</noscript>
<script type="application/json" id="parts">{_data(parts)}</script>
<script>{script}</script>
</body>
</html>
"""


@cache
def _script() -> str:
    script = joined(PACKAGE, DOORS, INSTEAD) + LAST
    if "</script" in script or "<!--" in script:
        raise ValueError("a module holds what would end the page's script")
    return script


def _style() -> str:
    """The studio's style sheets, then the playground's, without comments and needless spaces."""
    paths = [
        STUDIO / "style.css",
        STUDIO / "folders.css",
        *sorted((PACKAGE / "playground/web").glob("*.css")),
    ]
    css = re.sub(r"/\*.*?\*/", "", "\n".join(path.read_text() for path in paths), flags=re.S)
    return re.sub(r"\s*([{};,>])\s*|: +", lambda match: match[1] or ":", re.sub(r"\s+", " ", css)).strip()


def _body() -> str:
    """The studio's markup."""
    html = (STUDIO / "index.html").read_text()
    return html[html.index("<body>") + len("<body>") : html.index("</body>")]


@cache
def _builds() -> dict[str, str]:
    """The kernel's modules: base64 of gzip."""
    wasm = PACKAGE / "playground/wasm"
    packed = {name: gzip.compress((wasm / f"{name}.wasm").read_bytes(), 9, mtime=0) for name in BUILDS}
    return {name: base64.b64encode(data).decode() for name, data in packed.items()}


@cache
def _words() -> dict[str, dict[str, str]]:
    """The words of each language by their keys, as far as the modules and the markup name them.

    A key may be made of a beginning and a name: `take_${form}`.
    """
    text = _script() + _body()
    named = set(re.findall(r"\w+", text))
    begun = tuple(set(re.findall(r"`([a-z]\w*_)\$\{", text)))
    return {
        language: {
            key: word for key, word in page_words(language).items() if key in named or key.startswith(begun)
        }
        | sentences(language)
        for language in languages()
    }


def _data(value: object) -> str:
    """JSON that may stand in a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
