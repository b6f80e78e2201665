"""The built-in tables whose rows stand in the playground's page."""

from typing import Any

from treino.data import builtins

IN_PAGE = ("wine", "iris")


def tables_in_page() -> dict[str, dict[str, Any]]:
    """Each built-in table by name: its target and the cells of its columns, as problems.js takes them."""
    return {name: _cells(name) for name in IN_PAGE}


def _cells(name: str) -> dict[str, Any]:
    table = builtins.BUILTINS[name].read(name)
    columns = [
        {"name": c.name, "cells": [str(w) for w in c.words] if c.words is not None else c.numbers.tolist()}
        for c in table.columns
        if c.words is not None or c.numbers is not None
    ]
    return {"name": name, "target": table.target, "columns": columns}
