# expect: nothing
# mends: weighted_bce_on_probabilities.py
"""Rare positives with pos_weight, run from a dictionary of settings."""

import torch
from sklearn.datasets import make_classification
from torch import nn

torch.manual_seed(0)
X, y = make_classification(800, 10, n_informative=6, weights=[0.8], class_sep=1.5, random_state=0)
x, t = torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, x):
        score = self.body(x)
        return score.squeeze(-1)


def run(config):
    model = Model(config["width"])
    opt = torch.optim.Adam(model.parameters(), lr=config["lr"])
    loss_fn = nn.BCEWithLogitsLoss(pos_weight=(t == 0).sum() / (t == 1).sum())
    for epoch in range(config["epochs"]):
        for rows in torch.randperm(len(x)).split(80):
            loss = loss_fn(model(x[rows]), t[rows])
            opt.zero_grad()
            loss.backward()
            opt.step()
        print(f"epoch {epoch} loss {loss.item():.4f}")


run({"width": 24, "lr": 0.01, "epochs": 5})
