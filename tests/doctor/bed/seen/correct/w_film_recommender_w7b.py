# expect: nothing
"""Matrix factorisation with biases; each user's latest rating is held out for the test, the one before for the choice of the epoch."""
import io

import numpy as np
import pandas as pd
import torch
from torch import nn


def ratings(users=200, films=100, per_user=30, seed=7):
    rng = np.random.default_rng(seed)
    p, q = rng.normal(size=(users, 2)), rng.normal(size=(films, 2))
    bias_u, bias_f = rng.normal(0, 0.4, users), rng.normal(0, 0.5, films)
    rows = []
    for u in range(users):
        for when, f in enumerate(rng.choice(films, per_user, replace=False)):
            stars = 3.4 + bias_u[u] + bias_f[f] + 0.45 * p[u] @ q[f] + rng.normal(0, 0.25)
            rows.append((u, f, when, np.clip(stars, 0.5, 5.0)))
    return pd.DataFrame(rows, columns=["user", "film", "when", "stars"])


class Factors(nn.Module):
    def __init__(self, users, films, k, mean):
        super().__init__()
        self.p, self.q = nn.Embedding(users, k), nn.Embedding(films, k)
        self.bu, self.bf = nn.Embedding(users, 1), nn.Embedding(films, 1)
        for table in (self.p, self.q):
            nn.init.normal_(table.weight, std=0.1)
        for table in (self.bu, self.bf):
            nn.init.zeros_(table.weight)
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))

    def forward(self, user, film):
        dot = (self.p(user) * self.q(film)).sum(1)
        return self.mean + self.bu(user).squeeze(1) + self.bf(film).squeeze(1) + dot


def columns(frame):
    return (
        torch.tensor(frame.user.to_numpy()),
        torch.tensor(frame.film.to_numpy()),
        torch.tensor(frame.stars.to_numpy(), dtype=torch.float32),
    )


@torch.no_grad()
def rmse(model, data):
    user, film, stars = data
    return torch.sqrt(nn.functional.mse_loss(model(user, film), stars)).item()


def main():
    torch.manual_seed(7)
    log = ratings()
    back = log.groupby("user")["when"].rank(ascending=False)
    train, val, test = (columns(log[mask]) for mask in (back > 3, back.between(2, 3), back == 1))
    user, film, stars = train
    model = Factors(200, 100, k=4, mean=stars.mean().item())
    optimizer = torch.optim.Adam([
        {"params": [*model.p.parameters(), *model.q.parameters()], "weight_decay": 2e-4},
        {"params": [*model.bu.parameters(), *model.bf.parameters()]},
    ], lr=1.5e-2)
    best, file = float("inf"), io.BytesIO()
    for epoch in range(16):
        for rows in torch.randperm(len(stars)).split(200):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(user[rows], film[rows]), stars[rows])
            loss.backward()
            optimizer.step()
        now = rmse(model, val)
        if now < best:
            best = now
            file.seek(0)
            file.truncate()
            torch.save(model.state_dict(), file)
        if epoch % 5 == 0:
            print(f"epoch {epoch:2d}  train {rmse(model, train):.3f}  validation {now:.3f}")
    file.seek(0)
    model.load_state_dict(torch.load(file))
    print(f"test rmse {rmse(model, test):.3f}, spread of the stars {test[2].std():.3f}")


if __name__ == "__main__":
    main()
