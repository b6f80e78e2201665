"""Names that have no room in a picture are cut where they stay different."""

import pytest

from apps.studio.tests.playground.node import in_node, node


@in_node
@pytest.mark.parametrize(
    "names",
    [
        ["recuperação", "reprovado"],
        ["aprovado com louvor", "aprovado sem louvor"],  # alike at both ends
        ["São Paulo capital", "São Paulo litoral", "Campinas"],
        ["class_10", "class_11", "class_12"],
    ],
)
def test_names_stay_different(names: list[str]) -> None:
    for room in (6, 9):
        drawn = node("names.mjs", {"names": names, "room": room})
        assert len(set(drawn)) == len(names), drawn
        assert all(len(name) <= room for name in drawn)
