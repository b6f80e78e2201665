# expect: scaler_leakage @ 41
# allowed: scaler_leakage @ 89
# mend: 41 →     ranks.fit(frame.loc[state["train_rows"], columns])
# mend: 41 +     frame[columns] = ranks.transform(frame[columns])
# mend: 89 →     run = Pipeline(split, normalise, tensors, train, evaluate)
"""Activity of compounds from a wide assay table: clean, select, split, train, evaluate, each a step of a small pipeline."""
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import QuantileTransformer
from torch import nn


def load(n=700, features=24, seed=9):
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(n, 6))
    readings = np.exp(0.8 * latent @ rng.normal(size=(6, features)) / np.sqrt(6) + 0.4 * rng.normal(size=(n, features)))
    frame = pd.DataFrame(readings, columns=[f"assay_{i:02d}" for i in range(features)])
    frame["active"] = (latent[:, 0] - latent[:, 1] * latent[:, 2] + 0.4 * rng.normal(size=n) > 0).astype(int)
    return frame


class Pipeline:
    """Runs its steps in order; each takes the state and returns it."""

    def __init__(self, *steps):
        self.steps = steps

    def __call__(self, state):
        for step in self.steps:
            state = step(state)
        return state


def normalise(state):
    columns = state["frame"].columns.drop("active")
    state["columns"] = columns
    ranks = QuantileTransformer(n_quantiles=200, output_distribution="normal")
    frame = state["frame"].copy()
    frame[columns] = ranks.fit_transform(frame[columns])
    state["frame"] = frame
    return state


def split(state):
    rng = np.random.default_rng(state["seed"])
    order = rng.permutation(state["frame"].index.to_numpy())
    cut = int(0.7 * len(order))
    state["train_rows"], state["test_rows"] = order[:cut], order[cut:]
    return state


def tensors(state):
    for part in ("train", "test"):
        rows = state["frame"].loc[state[f"{part}_rows"]]
        state[part] = (
            torch.tensor(rows[state["columns"]].to_numpy(), dtype=torch.float32),
            torch.tensor(rows["active"].to_numpy(), dtype=torch.float32),
        )
    return state


def train(state):
    torch.manual_seed(state["seed"])
    x, y = state["train"]
    net = nn.Sequential(nn.Linear(x.shape[1], 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 1), nn.Flatten(0))
    optimizer = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=0.02)
    for _ in range(20):
        for rows in torch.randperm(len(x)).split(49):
            loss = nn.functional.binary_cross_entropy_with_logits(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    state["net"] = net
    return state


def evaluate(state):
    x, y = state["test"]
    net = state["net"].eval()
    with torch.no_grad():
        logit = net(x)
    print(f"accuracy {((logit > 0) == y.bool()).float().mean():.3f}  AUC {roc_auc_score(y.numpy(), logit.numpy()):.3f}")
    return state


if __name__ == "__main__":
    run = Pipeline(normalise, split, tensors, train, evaluate)
    run({"frame": load(), "seed": 9})
