"""The playground as one HTML file: script, words, style, tables and the kernel.

The file needs no other file, and its policy forbids everything else: no request, no cookie, no code except
its own.
"""

import base64
import gzip
from collections.abc import Mapping
from functools import cache
from typing import Any

from treino_studio.page_file import PACKAGE, built, page_file, words_of
from treino_studio.playground.address import GENERATED
from treino_studio.playground.sentences import sentences
from treino_studio.playground.tables import BUILTINS, table_of, tables_in_page

__all__ = ["IN_PAGE", "page", "table_of"]

IN_PAGE = *GENERATED, *BUILTINS  # data that every page has


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
    return page_file(
        "playground",
        "treino playground",
        parts,
        scripts=" 'wasm-unsafe-eval'",
        policy="worker-src blob:; ",
    )


@cache
def _kernel() -> str:
    """The kernel's module: base64 of gzip."""
    module = (PACKAGE / "playground/wasm/lanes.wasm").read_bytes()
    return base64.b64encode(gzip.compress(module, 9, mtime=0)).decode()


@cache
def _words() -> dict[str, dict[str, str]]:
    """The words of each language by key, for the keys that the script or the markup names."""
    words = words_of(built("playground.js"))
    return {language: own | sentences(language) for language, own in words.items()}
