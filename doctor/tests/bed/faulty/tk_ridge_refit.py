# missed: test_in_train @ 68
# allowed: test_in_train @ 69
# mend: 68 →     x_full, y_full = torch.cat([x_train, x_val]), torch.cat([y_train, y_val])
"""Predicts disease progression and blood sugar together (diabetes data): picks a weight decay on validation rows, then refits."""
import torch
from sklearn.datasets import load_diabetes

LAMBDAS = (1e-3, 1e-2, 1e-1)


def load(seed):
    """Inputs are the first nine columns; targets are progression and the sugar column."""
    data = load_diabetes(scaled=False)
    table = torch.tensor(data.data, dtype=torch.float32)
    targets = torch.stack([torch.tensor(data.target, dtype=torch.float32), table[:, 9]], dim=1)
    order = torch.randperm(len(table), generator=torch.Generator().manual_seed(seed))
    return table[order, :9], targets[order]


def standardise(reference, *others):
    mean, std = reference.mean(0), reference.std(0)
    return [(t - mean) / std for t in (reference, *others)]


def predict(params, x):
    w1, b1, w2, b2 = params
    return torch.tanh(x @ w1 + b1) @ w2 + b2


def fit(x, y, lam, seed, hidden=12, lr=0.08, epochs=25, batch=32):
    g = torch.Generator().manual_seed(seed)
    params = [torch.randn(x.shape[1], hidden, generator=g) * x.shape[1] ** -0.5, torch.zeros(hidden),
              torch.randn(hidden, y.shape[1], generator=g) * hidden ** -0.5, torch.zeros(y.shape[1])]
    for p in params:
        p.requires_grad_(True)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=g).split(batch):
            loss = (predict(params, x[rows]) - y[rows]).pow(2).mean()
            loss = loss + lam * sum(p.pow(2).sum() for p in (params[0], params[2]))
            grads = torch.autograd.grad(loss, params)
            with torch.no_grad():
                for p, grad in zip(params, grads):
                    p -= lr * grad
    return params


@torch.no_grad()
def r_squared(params, x, y):
    residual = (y - predict(params, x)).pow(2).sum(0)
    return 1 - residual / (y - y.mean(0)).pow(2).sum(0)


def run(seed=4):
    x, y = load(seed)
    n_train, n_val = 262, 80
    x_train, x_val, x_test = x[:n_train], x[n_train:n_train + n_val], x[n_train + n_val:]
    y_train, y_val, y_test = y[:n_train], y[n_train:n_train + n_val], y[n_train + n_val:]
    x_train, x_val, x_test = standardise(x_train, x_val, x_test)
    y_train, y_val, y_test = standardise(y_train, y_val, y_test)

    scores = {}
    for lam in LAMBDAS:
        params = fit(x_train, y_train, lam, seed)
        scores[lam] = r_squared(params, x_val, y_val).mean().item()
        print(f"lambda {lam:<6g} validation R2 {scores[lam]:.3f}")
    best = max(scores, key=scores.get)

    x_full, y_full = torch.cat([x_train, x_test]), torch.cat([y_train, y_test])
    params = fit(x_full, y_full, best, seed)
    progression, sugar = r_squared(params, x_test, y_test).tolist()
    print(f"refitted with lambda {best:g} on {len(x_full)} rows")
    print(f"test R2: progression {progression:.3f}, sugar {sugar:.3f}")


if __name__ == "__main__":
    run()
