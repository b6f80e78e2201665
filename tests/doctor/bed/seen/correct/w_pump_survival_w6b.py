# expect: nothing
"""How long do pumps last? Cox's partial likelihood with a small net, on censored made-up lifetimes; concordance on others."""
import numpy as np
import torch
from torch import nn
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def lifetimes(n=1200, seed=37):
    rng = np.random.default_rng(seed)
    x = np.column_stack([
        rng.normal(60, 12, n),          # temperature
        rng.gamma(4, 2, n),             # vibration
        rng.normal(300, 40, n),         # load
        rng.integers(0, 2, n),          # kind of bearing
        rng.normal(0, 1, n),            # shift of the axis
    ])
    hazard = np.exp(0.05 * (x[:, 0] - 60) + 0.2 * (x[:, 1] - 8) - 0.7 * x[:, 3] + 0.5 * x[:, 4] ** 2 - 0.5)
    life = rng.weibull(1.5, n) * 10 / hazard ** (1 / 1.5)
    end = rng.uniform(3, 25, n)
    return x, np.minimum(life, end), (life <= end)


def cox_loss(risk, time, event):
    """Breslow's negative log partial likelihood, per failure seen."""
    order = torch.argsort(time, descending=True)
    risk, event = risk[order], event[order]
    at_risk = torch.logcumsumexp(risk, dim=0)
    return -((risk - at_risk) * event).sum() / event.sum().clamp(min=1.0)


def concordance(risk, time, event):
    earlier = (time[:, None] < time[None, :]) & event.bool()[:, None]
    higher = (risk[:, None] > risk[None, :]).float() + 0.5 * (risk[:, None] == risk[None, :]).float()
    return (higher * earlier).sum().item() / earlier.sum().item()


class RiskNet(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, 32), nn.SELU(), nn.Linear(32, 16), nn.SELU(), nn.Linear(16, 1, bias=False))

    def forward(self, x):
        return self.net(x).flatten()


class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best, self.waited, self.state = patience, float("inf"), 0, None

    def __call__(self, value, model):
        if value < self.best:
            self.best, self.waited = value, 0
            self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}
        else:
            self.waited += 1
        return self.waited >= self.patience


def main():
    torch.manual_seed(37)
    x, time, event = lifetimes()
    rest, test = train_test_split(np.arange(len(x)), test_size=0.25, stratify=event, random_state=37)
    train, valid = train_test_split(rest, test_size=0.2, stratify=event[rest], random_state=37)
    scaler = StandardScaler().fit(x[train])
    tensors = [torch.tensor(a, dtype=torch.float32) for a in (scaler.transform(x), time, event)]
    part = lambda rows: [t[torch.as_tensor(rows)] for t in tensors]
    (xt, tt, et), (xv, tv, ev), (xs, ts, es) = part(train), part(valid), part(test)

    model = RiskNet(x.shape[1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    stop = EarlyStop(patience=8)
    for epoch in range(45):
        model.train()
        for rows in torch.randperm(len(xt)).split(120):
            loss = cox_loss(model(xt[rows]), tt[rows], et[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            held = cox_loss(model(xv), tv, ev).item()
        if epoch % 10 == 0:
            print(f"epoch {epoch:2d}  validation loss {held:.4f}")
        if stop(held, model):
            break
    model.load_state_dict(stop.state)
    model.eval()
    with torch.no_grad():
        print(f"concordance on other pumps: {concordance(model(xs), ts, es):.3f}")


if __name__ == "__main__":
    main()
