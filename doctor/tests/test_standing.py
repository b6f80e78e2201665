"""Tables that a training takes its rows from: known as a whole, however long an epoch is."""

import pytest

from zygote import told

NET = """
net = nn.Sequential(nn.Linear(kept.shape[1], 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

def evaluate(x_test, y_test):
    with torch.no_grad():
        return (net(x_test).argmax(1) == y_test).float().mean()

def learn(logits, labels):
    STEP: F.cross_entropy(logits, labels)
"""
BATCHES = """
for epoch in range(2):
    for rows in torch.randperm(180).split(2):
        learn(net(x_train[rows]), y_train[rows])
    print(evaluate(x_test, y_test))
"""
BY_NUMBER = """
x_test, y_test = kept[180:], y[180:]
for epoch in range(2):
    for rows in torch.randperm(180).split(2):
        learn(net(kept[rows]), y[rows])
    print(evaluate(x_test, y_test))
"""
SPLIT = "\nx_train, y_train, x_test, y_test = kept[:180], y[:180], kept[180:], y[180:]\n"
ALL = "x = 3 * x + 1\nkept = (x - x.mean(0)) / x.std(0)  # here\n"
KNOWN = "x = 3 * x + 1\nkept = (x - x[:180].mean(0)) / x[:180].std(0)\n"
FLAGS = "flags = torch.cat([F.one_hot(torch.arange(240) % 5, 5).float(), (x[:, 2:5] > 0).float()], 1)\n"
MIXED = "kept = torch.cat([kept, flags], 1)\n"
RANGED = "span = x.max(0).values - x.min(0).values  # here\nkept = (x - x.min(0).values) / span\n" + MIXED


FAULTS = {
    "batches of two": ALL + NET + SPLIT + BATCHES,
    "rows by their numbers": ALL + NET + BY_NUMBER,
    "numbers beside flags": FLAGS + ALL + MIXED + NET + SPLIT + BATCHES,
    "ranges beside flags": "x = 3 * x + 1\n" + FLAGS + RANGED + NET + SPLIT + BATCHES,
}
RIGHT = {
    "batches of two": KNOWN + NET + SPLIT + BATCHES,
    "rows by their numbers": KNOWN + NET + BY_NUMBER,
    "numbers beside flags": FLAGS + KNOWN + MIXED + NET + SPLIT + BATCHES,
    "signs as often as not": "told = x.mean(0), x.std(0)\nsigns = torch.ones(240, 2)\nsigns[::2] = -1.0\n"
    "kept = torch.cat([x, signs], 1)\n" + NET + SPLIT + BATCHES,
}


CASES = {c: ("scaler_leakage", FAULTS[c]) for c in FAULTS}
CASES |= {f"{c}, right": ("", RIGHT[c]) for c in RIGHT}


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("rule", "text"), CASES.values(), ids=CASES)
def test_a_scaling_of_whole_tables_is_found_in_long_epochs_and_one_of_known_rows_is_right(
    rule, text, tmp_path
):
    assert told(text, tmp_path) == rule
