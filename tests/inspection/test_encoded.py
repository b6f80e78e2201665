"""Importance and dependence of encoded columns (classes, ranks, dates, missing values), each as a whole."""

import numpy as np
import pandas as pd
import pytest
import torch

from treino.base.errors import TreinoError
from treino.data import Data, load, rows_for_prediction
from treino.inspection.boundary import boundary, typical_row
from treino.inspection.input_planes import Fit


def frame(rows: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"city": rng.choice(["Rio", "Recife", "Recife", "Bahia"], rows)})
    table["area"] = rng.normal(80, 20, rows)
    table["size"] = rng.choice(["s", "m", "l"], rows)
    table["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 9000, rows), unit="h")
    table["rooms"] = rng.integers(1, 6, rows).astype(float)
    table["y"] = np.where(
        table["area"] + 30 * (table["city"] == "Rio") + 9 * table["rooms"] > 115, "dear", "cheap"
    )
    table.loc[rng.choice(rows, 20, replace=False), "area"] = np.nan
    return table


@pytest.fixture(scope="module")
def houses() -> Data:
    return load(frame(), target="y", kinds={"size": "s<m<l"})


def test_a_plane_lies_through_a_typical_row_along_columns_with_an_axis(houses: Data, trainer) -> None:
    shown = boundary(trainer(houses), houses, resolution=8)
    assert set(shown.axes.axis_names) <= {"area", "size", "when (days)", "rooms"}
    assert (shown.axes.view, shown.inputs) == ("important", 5)
    typical = dict(zip(houses.preparation.inputs, typical_row(houses), strict=True))
    train = frame().iloc[houses.train.index.numpy()]
    assert [typical[f"city={city}"] for city in ("Bahia", "Recife", "Rio")] == [0, 1, 0]
    assert typical["rooms"] == pytest.approx(train["rooms"].median())
    assert typical["area missing"] == 0
    values = []
    for axes in (["area", "when"], ["area", "rooms"]):
        plane = boundary(trainer(houses), houses, axes=axes, resolution=8)
        values.append(dict(plane.axes.held))
    middle = int(train["size"].map({"s": 0, "m": 1, "l": 2}).median())
    rooms = pytest.approx(train["rooms"].median())
    assert values[0] == {"city": "Recife", "size": "sml"[middle], "rooms": rooms}
    assert values[1].keys() == {"city", "size", "when"}
    assert abs(pd.Timestamp(str(values[1]["when"])) - train["when"].median()) < pd.Timedelta(days=1)


def test_what_the_plane_says_is_what_the_network_says_of_such_rows(houses: Data, trainer) -> None:
    net = trainer(houses)
    shown = boundary(net, houses, axes=["rooms", "area"], resolution=5)
    row = pd.DataFrame({"area": [shown.y_R[1]], "rooms": [shown.x_R[3]], "city": ["Recife"], "size": ["m"]})
    train = frame().iloc[houses.train.index.numpy()]
    x = rows_for_prediction(row.assign(when=train["when"].iloc[0]), houses.preparation).x
    group = houses.preparation.groups[houses.features.index("when")]
    size = houses.preparation.groups[houses.features.index("size")]
    held = houses.preparation.transform(typical_row(houses)[None])
    x[:, group], x[:, size] = held[:, group], held[:, size]
    expected = net(x).softmax(1)[0].detach()
    np.testing.assert_allclose(shown.probability_RRC[1, 3], expected, atol=1e-5)


def test_a_column_of_classes_is_no_axis(houses: Data, trainer) -> None:
    with pytest.raises(TreinoError, match="area, size, when, rooms") as error:
        boundary(trainer(houses), houses, axes=["city", "area"])
    assert error.value.rule == "axes_classes"


def test_one_column_with_gaps_is_a_line(trainer) -> None:
    data = load(frame(), target="y", features=["area"])
    assert data.inputs == 2
    shown = boundary(trainer(data), data, resolution=7)
    x_R2 = data.preparation.transform(np.stack([shown.x_R, np.zeros(7)], axis=1))
    np.testing.assert_allclose(shown.value_RC, trainer(data)(x_R2).softmax(1).detach(), atol=1e-6)
    price = frame().assign(price=lambda t: t["rooms"] * 3.3 + 1)
    of_city = load(price, target="price", features=["city"], duplicates="ignore")
    assert isinstance(boundary(trainer(of_city), of_city, resolution=5), Fit)
    assert torch.equal(of_city.train.x.sum(1), torch.ones(len(of_city.train)))
