"""Brackets of successive halving against the published table, and the choice of who goes on."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from treino.training.search.samplers import halving, hyperband, survivors

TABLE_1 = {  # Li et al. 2018, R = 81 and eta = 3: (members, epochs) of every rung
    4: [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
    3: [(34, 3), (11, 9), (3, 27), (1, 81)],
    2: [(15, 9), (5, 27), (1, 81)],
    1: [(8, 27), (2, 81)],
    0: [(5, 81)],
}


def test_one_round_of_hyperband_is_the_published_table() -> None:
    brackets = hyperband(81 + 34 + 15 + 8 + 5, 81, eta=3)
    assert [[(r.members, r.epochs) for r in b] for b in brackets] == list(TABLE_1.values())


def test_rounds_of_hyperband_repeat_until_all_members_are_given_out() -> None:
    assert sum(b[0].members for b in hyperband(500, 81)) == 500
    assert [b[0].members for b in hyperband(200, 81)] == [81, 34, 15, 8, 5, 57]
    assert hyperband(200, 81)[-1][-1].epochs == 81


def test_halving_keeps_a_third_at_each_rung() -> None:
    (bracket,) = halving(81, 81)
    assert [(r.members, r.epochs) for r in bracket] == TABLE_1[4]
    (bracket,) = halving(256, 64, eta=4)
    assert [(r.members, r.epochs) for r in bracket] == [(256, 1), (64, 4), (16, 16), (4, 64)]
    (bracket,) = halving(1000, 200, eta=3, least=5)
    assert [(r.members, r.epochs) for r in bracket] == [(1000, 7), (333, 22), (111, 67), (37, 200)]
    (bracket,) = halving(1, 50)
    assert [(r.members, r.epochs) for r in bracket] == [(1, 50)]


@given(st.integers(1, 5000), st.integers(1, 1000), st.integers(2, 5), st.sampled_from([halving, hyperband]))
def test_every_member_is_in_one_bracket_and_rungs_only_shrink_and_lengthen(
    members, epochs, eta, made
) -> None:
    brackets = made(members, epochs, eta)
    assert sum(b[0].members for b in brackets) == members
    for bracket in brackets:
        assert bracket[-1].epochs == epochs
        for a, b in itertools.pairwise(bracket):
            assert a.members >= b.members >= 1
            assert a.epochs < b.epochs


def test_the_lowest_go_on_and_the_diverged_never() -> None:
    figures = [0.5, None, 0.2, 0.2, 0.9, 0.1]
    assert survivors(figures, 2) == [2, 5]
    assert survivors(figures, 3) == [2, 3, 5]
    assert survivors([0.2, 0.2, 0.2], 2) == [0, 1]
    assert survivors(figures, 99) == [0, 2, 3, 4, 5]
    assert survivors([None, None], 1) == []
