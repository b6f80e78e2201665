# expect: nothing
"""Deep ensemble with heteroscedastic Gaussian heads on the diabetes table, by cross-validation (figures only, no choice)."""
import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
from torch import nn

FOLDS, MEMBERS, EPOCHS, BATCH = 3, 3, 25, 32


class GaussNet(nn.Module):
    def __init__(self, d, h=24):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(d, h), nn.Tanh(), nn.Dropout(0.1), nn.Linear(h, h), nn.Tanh())
        self.mean = nn.Linear(h, 1)
        self.scale = nn.Linear(h, 1)

    def forward(self, x):
        z = self.body(x)
        return self.mean(z).squeeze(-1), nn.functional.softplus(self.scale(z)).squeeze(-1).add(1e-3)


def nll(mu, sd, y):
    return -torch.distributions.Normal(mu, sd).log_prob(y).mean()


def beta_nll(mu, sd, y, beta=0.5):
    """Seitzer et al.: weigh each point by its (constant) variance**beta."""
    each = -torch.distributions.Normal(mu, sd).log_prob(y)
    return (each * sd.detach().pow(2 * beta)).mean()


def train_member(x, y, seed):
    torch.manual_seed(seed)                      # every member has its own start and its own order
    net = GaussNet(x.shape[1])
    opt = torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=1e-2)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=EPOCHS)
    net.train()
    for _ in range(EPOCHS):
        total = 0.0
        for rows in torch.randperm(len(x)).split(BATCH):
            opt.zero_grad()
            loss = beta_nll(*net(x[rows]), y[rows])
            loss.backward()
            opt.step()
            total += loss.item() * len(rows)
        sched.step()
    return net, total / len(x)


@torch.no_grad()
def mixture(nets, x):
    mus, sds = [], []
    for net in nets:
        net.eval()
        mu, sd = net(x)
        mus.append(mu)
        sds.append(sd)
    mus, sds = torch.stack(mus), torch.stack(sds)
    mean = mus.mean(0)
    var = (sds ** 2 + mus ** 2).mean(0) - mean ** 2
    return mean, var.clamp_min(1e-6).sqrt()


def to_t(a):
    return torch.tensor(np.asarray(a), dtype=torch.float32)


def main():
    X, y = load_diabetes(return_X_y=True, scaled=False)
    scores = []
    for fold, (tr, te) in enumerate(KFold(FOLDS, shuffle=True, random_state=0).split(X)):
        sx = StandardScaler().fit(X[tr])
        sy = StandardScaler().fit(y[tr, None])
        xtr, xte = to_t(sx.transform(X[tr])), to_t(sx.transform(X[te]))
        ytr, yte = (to_t(sy.transform(y[i, None])[:, 0]) for i in (tr, te))
        nets, losses = zip(*(train_member(xtr, ytr, seed=100 * fold + m) for m in range(MEMBERS)))
        mean, sd = mixture(nets, xte)
        rmse = (mean - yte).pow(2).mean().sqrt().item() * float(sy.scale_[0])
        cover = ((yte - mean).abs() < 1.645 * sd).float().mean().item()
        scores.append((rmse, nll(mean, sd, yte).item(), cover))
        print(f"fold {fold}: last train losses {np.round(losses, 3)}  rmse {rmse:.1f}  nll {scores[-1][1]:.3f}  90% cover {cover:.2f}")
    print("mean  rmse %.1f  nll %.3f  cover %.2f   (sd of y: %.1f)" % (*np.mean(scores, 0), y.std()))


if __name__ == "__main__":
    main()
