# expect: nothing
"""Weibull accelerated-failure-time model on raw tensors, full batch, by L-BFGS; rows lie in order of time, as registries keep them."""
import numpy as np
import torch


def registry(n, rng):
    load = rng.uniform(0, 10, n)
    heat = rng.normal(60, 12, n)
    grade = rng.integers(0, 2, n)
    log_scale = 4.0 - 0.12 * load - 0.015 * (heat - 60) + 0.5 * grade
    life = np.exp(log_scale) * rng.weibull(1.8, n)
    end = rng.uniform(10, 120, n)
    order = np.argsort(np.minimum(life, end))
    x = np.column_stack([load, heat, grade])[order]
    return x, np.minimum(life, end)[order], (life <= end)[order]


def to_tensor(a):
    return torch.tensor(a, dtype=torch.float64)


def negative_log_likelihood(w, b, log_k, x, log_t, seen):
    """Weibull: the hazard for those who failed, the survival for everyone; works on log time throughout."""
    k = log_k.exp()
    z = k * (log_t - x @ w - b)
    return (z.exp() - seen * (log_k + z - log_t)).mean()


def concordance(score, t, seen):
    pairs = (t[:, None] < t[None]) & seen.bool()[:, None]
    return (score[:, None] < score[None])[pairs].double().mean().item()


def fit(x, log_t, seen, ridge=1e-3, rounds=8):
    w = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
    b = log_t.mean().clone().requires_grad_(True)
    log_k = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([w, b, log_k], lr=0.5, max_iter=10, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = negative_log_likelihood(w, b, log_k, x, log_t, seen) + ridge * w.square().sum()
        loss.backward()
        return loss

    for r in range(rounds):
        loss = optimizer.step(closure)
        if r % 3 == 0:
            print(f"round {r}: objective {loss.item():.5f}")
    return w.detach(), b.detach(), log_k.detach()


def main():
    rng = np.random.default_rng(41)
    x, t, seen = registry(900, rng)
    shuffled = rng.permutation(len(t))
    train, test = np.sort(shuffled[:630]), np.sort(shuffled[630:])
    centre, spread = x[train].mean(0), x[train].std(0)
    z = to_tensor((x - centre) / spread)
    log_t, seen = to_tensor(np.log(t)), to_tensor(seen)
    w, b, log_k = fit(z[train], log_t[train], seen[train])
    print("weights", [round(v, 3) for v in w.tolist()], f"shape k {log_k.exp().item():.3f}")
    score = z[test] @ w + b
    print(f"test nll {negative_log_likelihood(w, b, log_k, z[test], log_t[test], seen[test]).item():.4f}, "
          f"concordance {concordance(score, log_t[test], seen[test]):.3f}")


if __name__ == "__main__":
    main()
