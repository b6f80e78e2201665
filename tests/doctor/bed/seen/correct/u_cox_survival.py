# expect: nothing
"""Survival after treatment: a network gives a log hazard, trained by Cox's partial likelihood, judged by concordance."""
import numpy as np
import torch
from torch import nn


def cohort(n, rng):
    x = rng.normal(size=(n, 6)) * np.array([1, 8, 0.3, 2, 1, 15]) + np.array([0, 60, 1, 5, 0, 120])
    z = (x - np.array([0, 60, 1, 5, 0, 120])) / np.array([1, 8, 0.3, 2, 1, 15])
    hazard = np.exp(0.9 * z[:, 0] + 0.7 * z[:, 1] - 0.8 * np.abs(z[:, 2]))
    death = rng.exponential(10 / hazard)
    leave = rng.exponential(25, n)
    return x, np.minimum(death, leave), death <= leave


class HazardNet(nn.Module):
    def __init__(self, n_in, hidden=32):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.risk = nn.Linear(hidden, 1, bias=False)

    def forward(self, x):
        return self.risk(self.net(x)).squeeze(-1)


def cox_loss(risk, time, event):
    """Negative log partial likelihood per event; the set at risk is everyone who is still followed at that time."""
    order = torch.argsort(time, descending=True)
    risk, event = risk[order], event[order]
    at_risk = torch.logcumsumexp(risk, dim=0)
    return ((at_risk - risk) * event).sum() / event.sum()


def concordance(risk, time, event):
    earlier = (time.unsqueeze(1) < time.unsqueeze(0)) & event.bool().unsqueeze(1)
    right = risk.unsqueeze(1) > risk.unsqueeze(0)
    return (earlier & right).sum().item() / earlier.sum().item()


def tensors(*arrays):
    return tuple(torch.tensor(a, dtype=torch.float32) for a in arrays)


def main():
    torch.manual_seed(99)
    rng = np.random.default_rng(99)
    x, time, event = cohort(900, rng)
    train, test = np.arange(0, 650), np.arange(650, 900)
    mean, std = x[train].mean(axis=0), x[train].std(axis=0)
    x = (x - mean) / std
    x_tr, t_tr, e_tr = tensors(x[train], time[train], event[train])
    x_te, t_te, e_te = tensors(x[test], time[test], event[test])
    print(f"deaths seen: {int(e_tr.sum())} of {len(train)} in training, {int(e_te.sum())} of {len(test)} in the test")

    model = HazardNet(6)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    epochs, warmup = 12, 3
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda e: min(1.0, (e + 1) / warmup))
    for epoch in range(1, epochs + 1):
        model.train()
        losses = []
        for rows in torch.randperm(len(x_tr)).split(65):
            optimizer.zero_grad()
            loss = cox_loss(model(x_tr[rows]), t_tr[rows], e_tr[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {np.mean(losses):.4f}")

    model.eval()
    with torch.no_grad():
        print(f"test concordance {concordance(model(x_te), t_te, e_te):.3f}")


if __name__ == "__main__":
    main()
