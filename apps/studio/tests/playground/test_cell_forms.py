"""The playground's words and patterns of cells are those of ``data/cell_forms.py``, in JavaScript too."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tools.cell_forms import MODULE, module

from apps.studio.tests.playground.node import in_node, node
from treino.data import cell_forms as forms

PATTERNS = [
    *(compiled.pattern for _order, _sign, compiled in forms._DATE_SHAPES),
    f"{forms._CLOCK}{forms._HALF}?",
    forms._HOURS,
    forms._CELL.pattern,
]
CELLS = (
    st.one_of(*(st.from_regex(re.compile(p, re.ASCII), fullmatch=True) for p in PATTERNS))
    | st.sampled_from(sorted(forms.MISSING))
    | st.text("019.,:-/hHeE+()%R$ aA", max_size=9)
)


def kind_of(cell: str) -> str:
    if forms.missing(cell):
        return "nothing"
    if re.match(r"\d{4}-\d{2}($|[^\d-])", cell) and not re.match(r"[12]\d{3}-(0[1-9]|1[0-2])", cell):
        return ""  # no month, or a far year
    return forms.kind_of_form(forms.form_of(cell))


def test_the_module_is_made_of_the_forms_of_cells() -> None:
    assert MODULE.read_text() == module(), "the forms of cells are others now: python -m tools.cell_forms"


@in_node
@pytest.mark.slow
@settings(max_examples=6, deadline=None, phases=[Phase.generate])  # a process each
@given(cells=st.lists(CELLS.map(str.strip), min_size=5, max_size=60))
def test_the_patterns_mean_the_same_in_javascript(cells: Sequence[str]) -> None:
    for cell, found in zip(cells, node("cell_forms.mjs", cells), strict=True):
        wanted = kind_of(cell)
        if (
            found == "number" and not wanted
        ):  # brackets without a pair, two signs: the page reads no such column
            assert forms._CELL.fullmatch(cell), cell
        elif len(cell) <= forms.LONGEST:
            assert found == wanted, cell
