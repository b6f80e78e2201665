# expect: scaler_leakage @ 61
# mend: 61 →     scaler = StandardScaler().fit(x[train])
"""Cox proportional hazards with a small net (DeepSurv-like) on made-up clinic records; scored by Harrell's C-index."""
import argparse

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler
from torch import nn


def clinic(n, seed):
    rng = np.random.default_rng(seed)
    age = rng.uniform(35, 85, n)
    pressure = rng.normal(130, 18, n) + 0.2 * (age - 60)
    marker = rng.lognormal(2, 0.8, n)
    dose = rng.choice([0.0, 50.0, 100.0], n)
    bmi = rng.normal(27, 4, n)
    risk = 0.05 * (age - 60) + 0.9 * (np.log(marker) - 2) - 0.012 * dose + 0.01 * (pressure - 130) + 0.02 * (bmi - 27) ** 2
    life = rng.exponential(np.exp(-risk)) * 40
    censor = rng.exponential(90, n)
    x = np.column_stack([age, pressure, marker, dose, bmi])
    return x, np.minimum(life, censor).astype(np.float32), (life <= censor).astype(np.float32)


def cox_loss(risk, time, event):
    """Negative partial log-likelihood (Breslow) of one batch."""
    order = torch.argsort(time, descending=True)
    risk, event = risk[order], event[order]
    return -((risk - torch.logcumsumexp(risk, dim=0)) * event).sum() / event.sum().clamp(min=1)


def c_index(risk, time, event):
    earlier = (time[:, None] < time[None]) & (event[:, None] == 1)
    higher = (risk[:, None] > risk[None]).float() + 0.5 * (risk[:, None] == risk[None]).float()
    return (higher[earlier].sum() / earlier.sum()).item()


class DeepSurv(nn.Module):
    def __init__(self, n_in, width, dropout):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, width), nn.SELU(), nn.AlphaDropout(dropout), nn.Linear(width, 1, bias=False))

    def forward(self, x):
        return self.net(x).squeeze(-1)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--patients", type=int, default=900)
    p.add_argument("--epochs", type=int, default=30)
    p.add_argument("--batch-size", type=int, default=128)
    p.add_argument("--lr", type=float, default=3e-3)
    p.add_argument("--seed", type=int, default=77)
    args = p.parse_args()

    torch.manual_seed(args.seed)
    x, time, event = clinic(args.patients, args.seed)
    order = np.random.default_rng(args.seed + 1).permutation(args.patients)
    train, test = order[:600], order[600:]
    scaler = StandardScaler().fit(x)
    x = torch.tensor(scaler.transform(x), dtype=torch.float32)
    time, event = torch.from_numpy(time), torch.from_numpy(event)

    model = DeepSurv(x.shape[1], 32, 0.1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=1e-3)
    train = torch.from_numpy(train)
    for epoch in range(args.epochs):
        model.train()
        losses = []
        for rows in train[torch.randperm(len(train))].split(args.batch_size):
            loss = cox_loss(model(x[rows]), time[rows], event[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: partial likelihood loss {np.mean(losses):.4f}")

    model.eval()
    with torch.no_grad():
        print(f"train C-index {c_index(model(x[train]), time[train], event[train]):.4f}")
        print(f"test C-index {c_index(model(x[test]), time[test], event[test]):.4f}")


if __name__ == "__main__":
    main()
