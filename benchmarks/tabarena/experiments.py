"""treino in TabArena's experiments: ``python -m benchmarks.tabarena.experiments [--lite] [--configs N]``.

Fetches data sets from OpenML. Needs: pip install openml, and the package tabarena (README.md).
"""

import argparse
from typing import Any

from autogluon.common.space import Categorical, Real

from benchmarks.tabarena.model import TreinoModel

SEARCH_SPACE = {
    "lr": Real(5e-4, 5e-3, log=True, default=2e-3),
    "weight_decay": Real(1e-4, 1e-1, log=True, default=1e-2),
    "dropout": Real(0.0, 0.6, default=0.4),
    "hidden": Categorical("64,64", "128,128", "64,64,64", "256,256"),
    "bins": Categorical(16, 8, 32),
}
"""For TabArena's tuned results; the first of each, and the defaults, are the recipe's."""


def experiments(random_configs: int) -> list[Any]:
    """The default and so many drawn settings, each in bags of eight folds."""
    from tabarena.utils.config_utils import ConfigGenerator

    made = ConfigGenerator(model_cls=TreinoModel, manual_configs=[{}], search_space=SEARCH_SPACE)
    every: list[Any] = made.generate_all_bag_experiments(num_random_configs=random_configs)
    return every


def main() -> None:
    import openml
    from tabarena.benchmark.experiment import run_experiments_new

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lite", action="store_true", help="one split of each data set")
    parser.add_argument("--configs", type=int, default=0, help="drawn settings besides the default")
    parser.add_argument("--to", default="tabarena_out", help="folder of results")
    words = parser.parse_args()
    run_experiments_new(
        output_dir=words.to,
        model_experiments=experiments(words.configs),
        tasks=openml.study.get_suite("tabarena-v0.1").tasks,
        repetitions_mode="TabArena-Lite" if words.lite else "TabArena",
    )


if __name__ == "__main__":
    main()
