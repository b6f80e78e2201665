# expect: nothing
"""Contextual bandit: Thompson sampling with Monte-Carlo dropout.

Each round a visitor with a context arrives, one of four banners is shown, a click
(or none) comes back.  One forward pass WITH dropout is one sample of the
posterior, so the net is deliberately left in train mode to choose an arm
(Gal & Ghahramani 2016).  The net predicts one click logit per arm; only the arm that was
shown gets a loss.  For comparison: random banners and the best possible ones.
"""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

ARMS, DIM, ROUNDS, CHUNK = 4, 6, 1800, 20


class Site:
    """click probability of arm k: sigmoid of a fixed quadratic form of the visitor's context"""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        world = np.random.default_rng(1000)
        self.w = world.normal(size=(DIM, ARMS)) * 1.3
        self.v = world.normal(size=(DIM, ARMS)) * 0.5

    def visitors(self, n):
        return self.rng.normal(size=(n, DIM)).astype(np.float32)

    def click_prob(self, x):
        return 1 / (1 + np.exp(-(x @ self.w + (x ** 2 - 1) @ self.v - 0.5)))

    def clicks(self, x, arms):
        p = self.click_prob(x)[np.arange(len(x)), arms]
        return (self.rng.random(len(x)) < p).astype(np.float32)


class ClickNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(DIM, 64), nn.ReLU(), nn.Dropout(0.1),
            nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1),
            nn.Linear(64, ARMS))

    def forward(self, x):
        return self.net(x)


def update(model, opt, X, A, R, rng, steps=12):
    """a few gradient steps on random batches from everything seen so far"""
    for _ in range(steps):
        idx = rng.integers(0, len(X), min(64, len(X)))
        logit = model(X[idx]).gather(1, A[idx].unsqueeze(1)).squeeze(1)
        loss = F.binary_cross_entropy_with_logits(logit, R[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()


def main():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    site = Site(seed=5)
    model = ClickNet()
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    model.train()                       # stays so: the dropout noise is the exploration
    X = torch.empty(0, DIM)
    A = torch.empty(0, dtype=torch.long)
    R = torch.empty(0)
    gained, best, blind = [], [], []
    for start in range(0, ROUNDS, CHUNK):
        x = site.visitors(CHUNK)
        with torch.no_grad():
            arms = model(torch.from_numpy(x)).argmax(dim=1)          # one posterior sample per visitor
        r = site.clicks(x, arms.numpy())
        p = site.click_prob(x)
        gained.append(p[np.arange(CHUNK), arms.numpy()].mean())
        best.append(p.max(axis=1).mean())
        blind.append(p.mean())
        X = torch.cat([X, torch.from_numpy(x)])
        A = torch.cat([A, arms])
        R = torch.cat([R, torch.from_numpy(r)])
        update(model, opt, X, A, R, rng)
        if (start // CHUNK) % 30 == 29:
            k = slice(-30, None)
            print(f"rounds {start + CHUNK:4d}: click rate {np.mean(gained[k]):.3f} "
                  f"(best possible {np.mean(best[k]):.3f}, random {np.mean(blind[k]):.3f})")
    print("times each banner was shown:", torch.bincount(A, minlength=ARMS).tolist())

    model.eval()                        # the campaign is over: the plain mean net is shipped
    x = Site(seed=6).visitors(2000)
    with torch.no_grad():
        arms = model(torch.from_numpy(x)).argmax(dim=1).numpy()
    p = site.click_prob(x)
    print(f"shipped policy: {p[np.arange(len(x)), arms].mean():.3f} of {p.max(1).mean():.3f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
