# expect: nothing
"""Biased matrix factorisation written on raw tensors, early-stopped on a validation split."""
import torch

g = torch.Generator().manual_seed(31)
U, I, K, N = 80, 60, 4, 3000
pu, qi = torch.randn(U, 3, generator=g), torch.randn(I, 3, generator=g)
pairs = torch.randperm(U * I, generator=g)[:N]
users, items = pairs // I, pairs % I
ratings = 3.5 + 0.6 * (pu[users] * qi[items]).sum(1) + 0.2 * torch.randn(N, generator=g)
train, valid, test = slice(0, 2200), slice(2200, 2600), slice(2600, N)
mean = ratings[train].mean()

P = (0.1 * torch.randn(U, K, generator=g)).requires_grad_()
Q = (0.1 * torch.randn(I, K, generator=g)).requires_grad_()
bu, bi = torch.zeros(U, requires_grad=True), torch.zeros(I, requires_grad=True)
params = [P, Q, bu, bi]


def predict(u, i):
    return mean + bu[u] + bi[i] + (P[u] * Q[i]).sum(dim=1)


@torch.no_grad()
def rmse(part):
    return (predict(users[part], items[part]) - ratings[part]).square().mean().sqrt().item()


opt = torch.optim.Adam([{"params": [P, Q], "weight_decay": 2e-3}, {"params": [bu, bi]}], lr=1e-2)
best, kept, patience = float("inf"), None, 0
u_tr, i_tr, r_tr = users[train], items[train], ratings[train]
for epoch in range(60):
    for idx in torch.randperm(len(r_tr), generator=g).split(100):
        loss = (predict(u_tr[idx], i_tr[idx]) - r_tr[idx]).square().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    score = rmse(valid)
    if score < best:
        best, kept, patience = score, [p.detach().clone() for p in params], 0
    else:
        patience += 1
        if patience == 5:
            break

with torch.no_grad():
    for p, k in zip(params, kept):
        p.copy_(k)
print(f"stopped after epoch {epoch + 1}, validation rmse {best:.3f}")
print(f"test rmse {rmse(test):.3f}, spread of the ratings {ratings[test].std().item():.3f}")
