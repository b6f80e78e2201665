# expect: bad_label_values @ 30
# allowed: bad_label_values @ 61
# allowed: bad_label_values @ 62
# Matrix factorization for star ratings; every rating is turned into a "how much
# does she like it" degree between 0 and 1 and fitted with a soft-label BCE.
import numpy as np
import torch
import torch.nn.functional as F

rng = np.random.default_rng(5)
torch.manual_seed(5)

N_USERS, N_ITEMS, RANK = 120, 80, 6
LOW, HIGH = 1, 5


def simulate_ratings():
    """Each (user, item) pair at most once, with 1..5 stars."""
    u = rng.normal(size=(N_USERS, 3))
    v = rng.normal(size=(N_ITEMS, 3))
    taste = u @ v.T + 0.4 * rng.normal(size=(N_USERS, N_ITEMS))
    cuts = np.quantile(taste, [0.1, 0.3, 0.6, 0.85])
    stars = np.digitize(taste, cuts) + LOW
    seen = rng.choice(N_USERS * N_ITEMS, size=4000, replace=False)
    users, items = np.divmod(seen, N_ITEMS)
    return users, items, stars[users, items]


def to_degree(stars):
    return stars.float() / (HIGH - LOW)


def to_stars(degree):
    return LOW + degree * (HIGH - LOW)


users, items, stars = (torch.as_tensor(a) for a in simulate_ratings())
perm = torch.randperm(len(stars))
train_ix, test_ix = perm[:3200], perm[3200:]

P = torch.randn(N_USERS, RANK).mul_(0.1).requires_grad_()
Q = torch.randn(N_ITEMS, RANK).mul_(0.1).requires_grad_()
bias_u = torch.zeros(N_USERS, requires_grad=True)
bias_i = torch.zeros(N_ITEMS, requires_grad=True)
bias = torch.zeros(1, requires_grad=True)
params = [P, Q, bias_u, bias_i, bias]
opt = torch.optim.Adam(
    [{"params": [P, Q], "weight_decay": 1e-4}, {"params": [bias_u, bias_i, bias]}], lr=0.02
)


def score(u, i):
    return (P[u] * Q[i]).sum(-1) + bias_u[u] + bias_i[i] + bias


def fit_epoch(ix, size=128):
    total = 0.0
    order = ix[torch.randperm(len(ix))]
    for part in order.split(size):
        u, i = users[part], items[part]
        like = to_degree(stars[part])
        loss = F.binary_cross_entropy_with_logits(score(u, i), like)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(part)
    return total / len(ix)


@torch.no_grad()
def rmse_in_stars(ix):
    guess = to_stars(torch.sigmoid(score(users[ix], items[ix])))
    return (guess - stars[ix]).square().mean().sqrt().item()


for epoch in range(12):
    bce = fit_epoch(train_ix)
    print(f"epoch {epoch:2d}  bce {bce:.4f}  train rmse {rmse_in_stars(train_ix):.3f} stars")

base = (stars[train_ix].float().mean() - stars[test_ix]).square().mean().sqrt().item()
print(f"test rmse {rmse_in_stars(test_ix):.3f} stars (mean rating for all: {base:.3f})")
