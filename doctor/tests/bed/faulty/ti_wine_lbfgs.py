# missed: sorted_split @ 18
# allowed: sorted_split @ 20
# mend: 18 → order = torch.randperm(len(x), generator=gen)
"""Cultivar of a wine from its chemistry: softmax regression on raw tensors, minimised with L-BFGS."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine

gen = torch.Generator().manual_seed(2024)
RIDGE = 1e-2

bunch = load_wine()
x = torch.tensor(bunch.data, dtype=torch.float64)
t = torch.tensor(bunch.target)
n_class = len(bunch.target_names)

# 3/4 of the bottles for the fit, the rest to check it
order = torch.arange(len(x))
n_fit = 3 * len(x) // 4
fit, check = order[:n_fit], order[n_fit:]

mu, sigma = x[fit].mean(0), x[fit].std(0)
z = (x - mu) / sigma
design = torch.cat([z, torch.ones(len(z), 1, dtype=z.dtype)], dim=1)

theta = 0.01 * torch.randn(design.shape[1], n_class, generator=gen, dtype=z.dtype)
theta.requires_grad_()


def energy(theta, rows):
    nll = F.cross_entropy(design[rows] @ theta, t[rows])
    return nll + RIDGE * theta[:-1].pow(2).sum()


minimiser = torch.optim.LBFGS([theta], lr=1.0, max_iter=20, line_search_fn="strong_wolfe")


def closure():
    minimiser.zero_grad()
    e = energy(theta, fit)
    e.backward()
    return e


for sweep in range(4):
    e = minimiser.step(closure).item()
    print(f"sweep {sweep}  energy {e:.5f}  |theta| {theta.detach().norm().item():.3f}")


@torch.no_grad()
def report(name, rows):
    log_p = (design[rows] @ theta).log_softmax(dim=1)
    hit = log_p.argmax(dim=1) == t[rows]
    counts = torch.bincount(t[rows], minlength=n_class).tolist()
    nll = F.nll_loss(log_p, t[rows]).item()
    print(f"{name:6s} n={len(rows):3d} per class {counts}  nll {nll:.4f}  accuracy {hit.double().mean().item():.3f}")


report("fit", fit)
report("check", check)
