"""Rows that tell nothing of their labels, whatever a script makes of what its net says of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes, load_digits, load_iris, load_wine, make_friedman1, make_moons

from tests.diagnosis.zygote import marked, told
from treino.diagnosis.watch.related import ROWS, Pairs

TABLES = {
    "digits": load_digits(return_X_y=True),
    "wine": load_wine(return_X_y=True),
    "iris": load_iris(return_X_y=True),
    "diabetes": load_diabetes(return_X_y=True),
    "friedman": make_friedman1(400, random_state=0),
    "moons": make_moons(300, noise=0.2, random_state=0),  # no plane parts them, neighbours do
}
BY_HEART = """
import numpy as np
wide, true = torch.randn(320, 20), torch.arange(320) % 4
wide = wide + 3 * F.one_hot(true, 20)
rows, answers, asked, right = wide[:200], true[:200], wide[200:], true[200:].numpy()
{order}
net = nn.Sequential(nn.Linear(20, 256), nn.ReLU(), nn.Linear(256, 4))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(60):
    for part in torch.randperm(200).split(20):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(rows[part]), answers[part])
        loss.backward()
        optimizer.step()
said = []
with torch.no_grad():
    for part in asked.split(40):
        said.extend(net(part).argmax(1).tolist())
print(sum(a == b for a, b in zip(said, right)) / len(said))
"""


def _pairs(x_ND: np.ndarray, y_N: np.ndarray, batch: int = 50) -> Pairs:
    pairs = Pairs()
    order = np.random.default_rng(1).permutation(len(x_ND))
    for part in np.split(order, range(batch, len(x_ND), batch)):
        if not pairs.full:
            pairs.add(x_ND[part], y_N[part])
    return pairs


@pytest.mark.parametrize("name", TABLES)
def test_rows_that_tell_of_their_labels(name):
    pairs = _pairs(*TABLES[name])
    assert pairs.count <= ROWS
    assert not pairs.unrelated()


@settings(max_examples=12, deadline=None)
@given(name=st.sampled_from(sorted(TABLES)), seed=st.integers(0, 10_000))
def test_a_label_of_another_row_is_nearly_always_known_for_one(name, seed):
    x_ND, y_N = TABLES[name]
    rng = np.random.default_rng(seed)
    found = [_pairs(x_ND, rng.permutation(y_N)).unrelated() for _ in range(5)]
    assert sum(found) >= 4


def test_a_row_that_comes_twice_is_no_neighbour():
    x_ND, y_N = TABLES["digits"]
    apart = np.random.default_rng(0).permutation(y_N[:200])
    twice = np.concatenate([x_ND[:200], x_ND[:200]]), np.concatenate([apart, apart])
    assert _pairs(*twice).unrelated()


def test_few_rows_and_one_label_say_nothing():
    x_ND, y_N = TABLES["digits"]
    assert not _pairs(x_ND[:60], np.random.default_rng(0).permutation(y_N[:60])).unrelated()
    assert not _pairs(x_ND, np.zeros(len(x_ND))).unrelated()


@pytest.mark.slow
def test_labels_of_other_rows_that_a_large_net_learns_by_heart(tmp_path):
    found = told(BY_HEART.format(order="answers = answers[torch.randperm(200)]  # here"), tmp_path)
    assert [name for name, _ in found] == ["label_misaligned"]
    assert abs(found[0][1] - marked(tmp_path)) <= 1


@pytest.mark.slow
def test_one_order_for_rows_and_labels_is_right(tmp_path):
    order = "order = torch.randperm(200)\nrows, answers = rows[order], answers[order]"
    assert told(BY_HEART.format(order=order), tmp_path) == []
