# expect: nothing
"""Matrix factorisation from scratch: biases, two factor tables and plain gradient descent, no nn.Module (from my blog)."""
import numpy as np
import torch

torch.manual_seed(7)
rng = np.random.default_rng(7)

# ---- a made-up film club: 120 members, 80 films, about 3800 ratings ----
n_users, n_items, k_true = 120, 80, 3
taste = rng.normal(size=(n_users, k_true))
film = rng.normal(size=(n_items, k_true))
full = 3.2 + 0.45 * taste @ film.T + 0.3 * rng.normal(size=(n_users, 1)) + 0.3 * rng.normal(size=(1, n_items))
full = np.clip(full + 0.25 * rng.normal(size=full.shape), 0.5, 5.0)
users, items = np.nonzero(rng.random(full.shape) < 0.4)
ratings = full[users, items]

perm = rng.permutation(len(ratings))
cut = int(0.8 * len(perm))
tr, te = perm[:cut], perm[cut:]


def tensors(idx):
    return (torch.as_tensor(users[idx]), torch.as_tensor(items[idx]),
            torch.as_tensor(ratings[idx], dtype=torch.float32))


u_tr, i_tr, r_tr = tensors(tr)
u_te, i_te, r_te = tensors(te)
mu = r_tr.mean()

# ---- parameters ----
k = 4
U = (0.3 * torch.randn(n_users, k)).requires_grad_()
V = (0.3 * torch.randn(n_items, k)).requires_grad_()
bu = torch.zeros(n_users, requires_grad=True)
bi = torch.zeros(n_items, requires_grad=True)
params = [U, V, bu, bi]


def predict(u, i):
    return mu + bu[u] + bi[i] + (U[u] * V[i]).sum(dim=1)


def rmse(u, i, r):
    with torch.no_grad():
        return ((predict(u, i) - r) ** 2).mean().sqrt().item()


print(f"mean predictor: {((r_te - mu) ** 2).mean().sqrt().item():.3f}")

# ---- descent ----
lr, batch, decay = 3.0, 512, 0.15
for epoch in range(80):
    order = torch.randperm(len(r_tr))
    total = 0.0
    for start in range(0, len(order), batch):
        b = order[start:start + batch]
        err = predict(u_tr[b], i_tr[b]) - r_tr[b]
        loss = (err ** 2).mean() + decay * sum((p ** 2).sum() for p in params) / len(b)
        loss.backward()
        total += loss.item() * len(b)
        with torch.no_grad():
            for p in params:
                p -= lr * p.grad
        for t in params:
            t.grad.zero_()
    if epoch % 16 == 15:
        print(f"epoch {epoch + 1:3d}  train loss {total / len(order):.4f}")

print(f"train rmse {rmse(u_tr, i_tr, r_tr):.3f}   test rmse {rmse(u_te, i_te, r_te):.3f}")
