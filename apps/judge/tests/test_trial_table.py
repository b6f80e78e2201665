"""The table of trials: which scores belong to one trial, and which direction a score's name tells."""

from itertools import product

import pytest

from treino_judge.exported_tables import trials_in
from treino_judge.table import Request, direction_of, trial_table


def test_seeds_folds_and_rows_by_columns() -> None:
    lines = [
        {"score_auc": lr + fold / 10 + seed / 100, "fold": fold, "seed": seed, "lr": lr, "row": fold}
        for lr, seed, fold in product((1, 2), (0, 1), (0, 1, 2))
    ]
    file = trials_in(lines, "t")
    both = trial_table(file, Request(fold="fold", seed="seed", settings=("lr",)))
    assert (both.unit, both.folds, len(both.trials[0].scores)) == ("fold", 3, 6)
    rows = trial_table(file, Request(row="row", settings=("lr", "seed")))
    assert (rows.unit, rows.folds, len(rows.trials)) == ("row", 0, 4)
    alone = trial_table(file, Request())
    assert sum("isn't used" in note for note in alone.notes) == 2


def test_numbered_columns_whose_mean_is_the_score_are_its_folds() -> None:
    lines = [
        {"acc": i + 1.0, "fold_0_acc": i, "fold_1_acc": i + 2, "layer_1": 3, "layer_2": 4} for i in range(30)
    ]
    table = trial_table(trials_in(lines, "t"), Request(score="acc"))
    assert (table.unit, table.folds) == ("fold", 2)
    assert list(table.trials[3].scores.values()) == [3, 5]
    del lines[0]["fold_1_acc"]
    for line in lines[1:20]:
        line["fold_1_acc"] = 7
    assert trial_table(trials_in(lines, "t"), Request(score="acc")).unit is None


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        ("val_loss", -1),
        ("metrics.roc_auc", 1),
        ("neg_log_loss", 1),
        ("accuracy_error", -1),
        ("objective", None),
        ("Val Acc", 1),
        ("5-fold-accuracy", 1),
        ("mean_test_neg_mean_squared_error", 1),
        ("test/d2_log_loss_score", 1),
        ("minus_neg_log_loss", None),
        *((name, None) for name in ("neg_ll", "neg_elbo", "neg_logprob", "neg_log_likelihood", "neg_rmse")),
        *((name, None) for name in ("neg_loss", "val/neg_loss_mean", "minus_mse", "-loss", "val/-loss")),
        *((name, None) for name in ("1 - accuracy", "one_minus_auc", "loss_neg", "error_reduction")),
    ],
)
def test_a_name_tells_the_direction_or_does_not(name: str, sign: int | None) -> None:
    assert direction_of(name) == sign


@pytest.mark.slow
def test_all_scorers_of_scikit_learn_are_known() -> None:
    names = pytest.importorskip("sklearn.metrics").get_scorer_names()
    assert {name for name in names if direction_of(name) != 1} == set()
