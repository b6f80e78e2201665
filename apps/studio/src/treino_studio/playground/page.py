"""The playground as one HTML file: modules, words, styles, tables and the kernel.

The file needs no other file, and its policy forbids everything else: no request, no cookie, no code except
its own.
"""

import base64
import gzip
from collections.abc import Mapping
from functools import cache
from typing import Any

from treino_studio.modules import joined
from treino_studio.page_file import PACKAGE, page_file, words_of
from treino_studio.playground.address import GENERATED
from treino_studio.playground.sentences import sentences
from treino_studio.playground.tables import BUILTINS, table_of, tables_in_page

__all__ = ["IN_PAGE", "page", "table_of"]

ENTRIES = {"playground": "playground/web/playground.js", "worker": "playground/web/worker.js"}
INSTEAD = {  # modules that only a server's runs need
    f"page/modules/{name}.js": "playground/web/left_out.js"
    for name in ("remedies", "result", "members", "behind")
}
IN_PAGE = *GENERATED, *BUILTINS  # data that every page has
LAST = """
if (typeof document === 'undefined') worker().answer(self);
else playground().start(document.currentScript.textContent);
"""  # one script: the page starts a worker with the same text


def page(table: Mapping[str, Any] | None = None, address: str = "") -> str:
    """The page's HTML. table: one of the reader's own, as ``tables.table_of`` makes it. address: what opens
    if the page's address says nothing, as ``address.address`` makes it."""
    parts = {
        "kernel": _kernel(),
        "words": _words(),
        "tables": tables_in_page(),
        "table": table,
        "address": address,
    }
    styles = sorted((PACKAGE / "playground/web").glob("*.css"))
    return page_file(
        "treino playground",
        _script(),
        parts,
        styles=styles,
        scripts=" 'wasm-unsafe-eval'",
        policy="worker-src blob:; ",
    )


@cache
def _script() -> str:
    return joined(PACKAGE, ENTRIES, INSTEAD) + LAST


@cache
def _kernel() -> str:
    """The kernel's module: base64 of gzip."""
    module = (PACKAGE / "playground/wasm/lanes.wasm").read_bytes()
    return base64.b64encode(gzip.compress(module, 9, mtime=0)).decode()


@cache
def _words() -> dict[str, dict[str, str]]:
    """The words of each language by key, for the keys that the modules or the markup name."""
    return {language: words | sentences(language) for language, words in words_of(_script()).items()}
