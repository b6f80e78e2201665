# expect: symmetric_init @ 37
# mend: 37 →     nn.init.normal_(table.weight, 0.0, scale)
"""Matrix factorisation of film ratings: user and film factors with biases, RMSE on ratings kept aside."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn


@dataclass
class Settings:
    users: int = 250
    films: int = 180
    factors: int = 6
    epochs: int = 25
    batch: int = 512
    lr: float = 0.02
    seed: int = 3


def made_up_ratings(s):
    rng = np.random.default_rng(s.seed)
    taste = rng.normal(0, 0.8, (s.users, 3))
    flavour = rng.normal(0, 0.8, (s.films, 3))
    level = 3.2 + rng.normal(0, 0.3, (s.users, 1)) + rng.normal(0, 0.3, (1, s.films))
    full = level + taste @ flavour.T + rng.normal(0, 0.25, (s.users, s.films))
    seen = rng.random(full.shape) < 0.35
    who, what = np.nonzero(seen)
    order = rng.permutation(len(who))
    return (torch.from_numpy(who[order]), torch.from_numpy(what[order]),
            torch.from_numpy(full[who, what][order]).float())


def factor_table(rows, factors, scale=0.1):
    table = nn.Embedding(rows, factors)
    nn.init.constant_(table.weight, scale)
    return table


class Factoriser(nn.Module):
    def __init__(self, s, mean):
        super().__init__()
        self.user = factor_table(s.users, s.factors)
        self.film = factor_table(s.films, s.factors)
        self.user_bias = nn.Parameter(torch.zeros(s.users))
        self.film_bias = nn.Parameter(torch.zeros(s.films))
        self.register_buffer("mean", mean)

    def forward(self, who, what):
        dot = (self.user(who) * self.film(what)).sum(dim=1)
        return self.mean + self.user_bias[who] + self.film_bias[what] + dot


def rmse(model, part):
    model.eval()
    with torch.no_grad():
        who, what, stars = part
        return (model(who, what) - stars).pow(2).mean().sqrt().item()


def fit(s):
    torch.manual_seed(s.seed)
    data = made_up_ratings(s)
    cut = int(0.8 * len(data[0]))
    train = [t[:cut] for t in data]
    test = [t[cut:] for t in data]
    model = Factoriser(s, train[2].mean())
    optimizer = torch.optim.Adam(model.parameters(), lr=s.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=s.epochs)
    for epoch in range(s.epochs):
        model.train()
        for ids in torch.randperm(cut).split(s.batch):
            who, what, stars = (t[ids] for t in train)
            optimizer.zero_grad(set_to_none=True)
            error = (model(who, what) - stars).pow(2).mean()
            penalty = model.user(who).pow(2).mean() + model.film(what).pow(2).mean()
            (error + 0.02 * penalty).backward()
            optimizer.step()
        schedule.step()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d}: train rmse {rmse(model, train):.3f}")
    print(f"rmse on ratings kept aside: {rmse(model, test):.3f}")


if __name__ == "__main__":
    fit(Settings())
