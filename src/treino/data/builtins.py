"""List the built-in data sets; each is read or generated when it is used.

Generators use NumPy's ``RandomState`` because its stream will never change (NumPy NEP 19).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.base.words import N_
from treino.data.table import Column, Table, row_place

# ---- synthetic data sets in the plane

ROWS = 1000
_Points = tuple[NDArray[np.float64], NDArray[np.int64]]


def moons() -> _Points:
    """Two interleaving half circles; equal to scikit-learn's
    ``make_moons(1000, noise=0.2, random_state=0)``."""
    angle = np.linspace(0, np.pi, ROWS // 2)
    x = np.concatenate([np.cos(angle), 1 - np.cos(angle)])
    y = np.concatenate([np.sin(angle), 0.5 - np.sin(angle)])
    return _shuffled(np.stack([x, y], axis=1), noise=0.2)


def circles() -> _Points:
    """A circle around a smaller one; equal to scikit-learn's
    ``make_circles(1000, noise=0.1, factor=0.5, random_state=0)``."""
    angle = np.linspace(0, 2 * np.pi, ROWS // 2, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _shuffled(np.concatenate([circle, circle * 0.5]), noise=0.1)


def spirals() -> tuple[np.ndarray, np.ndarray]:
    """Three spiral arms from near the centre to radius 1; points are evenly spaced in radius, at 0.75 turns
    per unit of radius."""
    points, arm_N = [], np.repeat(np.arange(3), [334, 333, 333])
    for arm in range(3):
        radius = np.linspace(0.05, 1, int((arm_N == arm).sum()))
        angle = 2 * np.pi * (arm / 3 + 0.75 * radius)
        points.append(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1))
    random = np.random.RandomState(0)
    order_N = np.arange(1000)
    random.shuffle(order_N)
    return np.concatenate(points)[order_N] + random.normal(scale=0.04, size=(1000, 2)), arm_N[order_N]


def xor() -> tuple[np.ndarray, np.ndarray]:
    """Points in a square, except in a cross at its middle; opposite quarters have the same class."""
    random = np.random.RandomState(0)
    x_N2 = random.uniform(-1, 1, size=(1000, 2))
    y_N = np.where(x_N2[:, 0] * x_N2[:, 1] < 0, 1, 0)
    x_N2 = x_N2 + np.copysign(0.1, x_N2)
    return x_N2 + random.normal(scale=0.1, size=(1000, 2)), y_N


def gauss() -> tuple[np.ndarray, np.ndarray]:
    """Two clouds, normally distributed around (-1, -1) and (1, 1)."""
    random = np.random.RandomState(0)
    y_N = np.repeat([0, 1], 500)
    random.shuffle(y_N)
    return (2.0 * y_N - 1)[:, None] + random.normal(scale=0.7, size=(1000, 2)), y_N


def plane() -> tuple[np.ndarray, np.ndarray]:
    """Points in a square, each with the sum of its coordinates as target, with noise."""
    random = np.random.RandomState(0)
    x_N2 = random.uniform(-1, 1, size=(1000, 2))
    return x_N2, x_N2[:, 0] + x_N2[:, 1] + random.normal(scale=0.1, size=1000)


def multi_gauss() -> tuple[np.ndarray, np.ndarray]:
    """Points in a square; the target is the height of six Gaussian hills and hollows in turn, with noise."""
    random = np.random.RandomState(0)
    x_N2 = random.uniform(-1, 1, size=(1000, 2))
    height_N = np.zeros(1000)
    for row, y in enumerate([-0.45, 0.45]):
        for column, x in enumerate([-0.7, 0.0, 0.7]):
            square_N = (x_N2[:, 0] - x) * (x_N2[:, 0] - x) + (x_N2[:, 1] - y) * (x_N2[:, 1] - y)
            height_N = height_N + (-1) ** (row + column) * np.exp(-12.5 * square_N)
    return x_N2, height_N + random.normal(scale=0.05, size=1000)


def _shuffled(x_N2: NDArray[np.float64], noise: float) -> _Points:
    """Return x in random order with noise added, and its classes: 0 in the first half of the rows, else 1."""
    y_N = np.repeat([0, 1], ROWS // 2)
    random = np.random.RandomState(0)
    order_N = np.arange(len(x_N2))
    random.shuffle(order_N)
    return x_N2[order_N] + random.normal(scale=noise, size=x_N2.shape), y_N[order_N]


# ---- the registry of built-in data sets


@dataclass(frozen=True)
class Builtin:
    """A built-in data set.

    about: a description, marked with ``N_``. read(name): a function that returns the table, e.g. by
    ``table_of``. sklearn: a call in sklearn.datasets that returns the same rows, for exported scripts, which
    don't need treino. source: a function that returns the same rows and uses only ``np``; scripts copy it.
    With neither, a script includes the rows.
    """

    rows: int
    features: int
    task: str
    about: str
    read: Callable[[str], Table]
    sklearn: str = ""
    source: Callable[[], tuple[NDArray[np.float64], NDArray[Any]]] | None = None


_DIGITS = tuple(str(n) for n in range(10))
_CELLS = (
    "radius,texture,perimeter,area,smoothness,compactness,concavity,concave_points,symmetry,fractal_dimension"
)
_COLUMNS = {
    "wine": "alcohol,malic_acid,ash,alcalinity_of_ash,magnesium,total_phenols,flavanoids,"
    "nonflavanoid_phenols,proanthocyanins,color_intensity,hue,od280/od315_of_diluted_wines,proline",
    "iris": "sepal_length,sepal_width,petal_length,petal_width",
    "digits": ",".join(f"pixel_{row}_{column}" for row in range(8) for column in range(8)),
    "breast_cancer": ",".join(
        f.format(c) for f in ("mean_{}", "{}_error", "worst_{}") for c in _CELLS.split(",")
    ),
    "diabetes": "age,sex,bmi,bp,s1,s2,s3,s4,s5,s6",
}
_FILES = {"wine": "wine_data.csv", "iris": "iris.csv", "breast_cancer": "breast_cancer.csv"}


def _sklearn(name: str, rows: int, features: int, about: str) -> Builtin:
    """One of scikit-learn's data sets; diabetes is a regression. Its files are read here, because importing
    scikit-learn takes longer than a training."""

    def read(name: str) -> Table:
        spec = find_spec("sklearn")
        assert spec is not None
        folder, columns = Path(str(spec.origin)).parent / "datasets" / "data", _COLUMNS[name].split(",")
        if name == "diabetes":
            x_ND, y_N = (np.loadtxt(folder / f"diabetes_{part}.csv.gz") for part in ("data_raw", "target"))
            return table_of(name, columns, (x_ND - x_ND.mean(0)) / x_ND.std(0) / len(x_ND) ** 0.5, y_N, ())
        if name == "digits":
            cell_NE, classes = np.loadtxt(folder / "digits.csv.gz", delimiter=","), _DIGITS
        else:  # the first line: rows, columns, classes
            first, *lines = (folder / _FILES[name]).read_text("utf-8").splitlines()
            cell_NE, classes = np.loadtxt(lines, delimiter=","), tuple(first.split(",")[2:])
        target_N = cell_NE[:, -1].astype(np.int64)
        return table_of(name, columns, cell_NE[:, :-1], target_N, classes, keep_constant=name == "digits")

    task = "regression" if name == "diabetes" else "classification"
    return Builtin(rows, features, task, about, read, f"load_{name}(return_X_y=True)")


def _generated(
    draw: Callable[[], tuple[NDArray[np.float64], NDArray[Any]]], about: str, options: str = ""
) -> Builtin:
    """A set in the plane. options: scikit-learn's arguments for it; if empty, scripts copy ``draw``."""

    def read(name: str) -> Table:
        x_N2, y_N = draw()
        classes = range(y_N.max() + 1) if y_N.dtype.kind == "i" else ()
        return table_of(name, ["x1", "x2"], x_N2, y_N, tuple(str(c) for c in classes))

    task = "regression" if draw in (plane, multi_gauss) else "classification"
    call = f"make_{draw.__name__}({ROWS}, {options}, random_state=0)" if options else ""
    return Builtin(ROWS, 2, task, about, read, call, None if options else draw)


def table_of(
    name: str,
    features: Sequence[str],
    x_ND: NDArray[np.float64],
    y_N: NDArray[Any],
    classes: tuple[str, ...],
    keep_constant: bool = False,
) -> Table:
    """The table of x ``[N, D]`` and targets ``[N]``: class codes, or numbers if ``classes`` is empty."""
    columns = tuple(
        Column(feature, np.ascontiguousarray(x_ND[:, j], dtype=np.float64))
        for j, feature in enumerate(features)
    )
    columns = (*columns, _target(y_N, classes))
    return Table(name, name, None, columns, row_place, target="target", keep_constant=keep_constant)


def _images(classes: tuple[str, ...], about: str) -> Builtin:
    def read(name: str) -> Table:
        from treino.data.readers import idx  # for these two alone

        pixels_ND, label_N, notes = idx.read_idx_set(name)
        columns = tuple(
            Column(f"pixel_{j // idx.SIZE}_{j % idx.SIZE}", pixels_ND[:, j])
            for j in range(pixels_ND.shape[1])
        )
        return Table(
            name,
            name,
            None,
            (*columns, _target(label_N, classes)),
            row_place,
            target="target",
            matrix=pixels_ND,
            item_shape=(1, idx.SIZE, idx.SIZE),
            official_test=idx.ROWS["t10k"],
            keep_constant=True,
            notes=tuple(notes),
        )

    return Builtin(70_000, 784, "classification", about, read)


def _target(y_N: NDArray[Any], classes: tuple[str, ...]) -> Column:
    if not classes:
        return Column("target", y_N.astype(np.float64))
    return Column("target", None, np.array(classes, dtype=object)[y_N], categories=classes)


_CLOTHES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)

BUILTINS: dict[str, Builtin] = {
    "wine": _sklearn("wine", 178, 13, N_("Three cultivars of wine by 13 measurements.")),
    "iris": _sklearn("iris", 150, 4, N_("Three kinds of iris by the size of their sepals and petals.")),
    "digits": _sklearn("digits", 1797, 64, N_("Handwritten digits of 8 × 8 pixels.")),
    "breast_cancer": _sklearn(
        "breast_cancer", 569, 30, N_("Benign or malignant by 30 measurements of cells.")
    ),
    "diabetes": _sklearn("diabetes", 442, 10, N_("Progress of diabetes after a year by 10 measurements.")),
    "moons": _generated(moons, N_("Two half moons in a plane, with noise."), "noise=0.2"),
    "circles": _generated(circles, N_("A circle around another, with noise."), "noise=0.1, factor=0.5"),
    "spirals": _generated(spirals, N_("Three arms of a spiral, with noise.")),
    "xor": _generated(xor, N_("Opposite quarters of a square, with noise.")),
    "gauss": _generated(gauss, N_("Two clouds, normally distributed.")),
    "plane": _generated(plane, N_("The sum of two coordinates, with noise.")),
    "multi_gauss": _generated(multi_gauss, N_("Hills and hollows over a square, with noise.")),
    "mnist": _images(_DIGITS, N_("Handwritten digits of 28 × 28 pixels.")),
    "fashion-mnist": _images(_CLOTHES, N_("Clothes of 28 × 28 pixels.")),
}
