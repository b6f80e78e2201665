# expect: nothing
"""Cox proportional hazards network on a simulated cohort: full batches, rows in order of follow-up time."""
import numpy as np
import torch
from torch import nn


def simulate_cohort(n, rng):
    age = rng.normal(62, 9, n)
    stage = rng.integers(1, 5, n)
    marker = rng.lognormal(1.0, 0.6, n)
    treated = rng.integers(0, 2, n)
    risk = 0.04 * (age - 62) + 0.5 * (stage - 2.5) + 0.9 * np.log(marker) - 0.8 * treated
    death = rng.exponential(60 * np.exp(-risk))
    censor = rng.uniform(10, 160, n)
    X = np.stack([age, stage, np.log(marker), treated], 1)
    return X, np.minimum(death, censor), (death <= censor).astype(np.float64)


def neg_partial_log_likelihood(log_hazard, event):
    """Breslow's form; the rows must stand in order of falling time."""
    log_risk_set = torch.logcumsumexp(log_hazard, dim=0)
    return -((log_hazard - log_risk_set) * event).sum() / event.sum()


def concordance(risk, time, event):
    comparable = (time[:, None] < time[None, :]) & (event[:, None] > 0)
    higher = (risk[:, None] > risk[None, :]) + 0.5 * (risk[:, None] == risk[None, :])
    return (higher * comparable).sum() / comparable.sum()


class DeepSurv(nn.Module):
    def __init__(self, n_in, hidden=16, p=0.1):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, hidden), nn.SELU(), nn.AlphaDropout(p), nn.Linear(hidden, 1, bias=False))

    def forward(self, x):
        return self.net(x)[:, 0]


def main():
    torch.manual_seed(1972)
    rng = np.random.default_rng(1972)
    X, time, event = simulate_cohort(900, rng)
    perm = rng.permutation(len(X))
    parts = {"train": perm[:540], "val": perm[540:700], "test": perm[700:]}
    mean, std = X[parts["train"]].mean(0), X[parts["train"]].std(0)

    def tensors(name):
        rows = parts[name]
        rows = rows[np.argsort(-time[rows], kind="stable")]
        return [torch.tensor(a, dtype=torch.float32) for a in ((X[rows] - mean) / std, time[rows], event[rows])]

    x, t, e = tensors("train")
    xv, tv, ev = tensors("val")
    xs, ts, es = tensors("test")
    print(f"{len(x)} patients to train on, {int(e.sum())} deaths among them")

    model = DeepSurv(x.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=1e-4)
    best, best_state, wait = float("inf"), None, 0
    for epoch in range(300):
        model.train()
        optimizer.zero_grad()
        loss = neg_partial_log_likelihood(model(x), e)
        loss.backward()
        optimizer.step()

        model.eval()
        with torch.no_grad():
            val = neg_partial_log_likelihood(model(xv), ev).item()
        if val < best - 1e-4:
            best, wait = val, 0
            best_state = {k: v.clone() for k, v in model.state_dict().items()}
        else:
            wait += 1
            if wait == 25:
                break
        if epoch % 25 == 0:
            print(f"epoch {epoch:3d}  train {loss.item():.4f}  val {val:.4f}")

    model.load_state_dict(best_state)
    model.eval()
    with torch.no_grad():
        c = concordance(model(xs), ts, es).item()
    print(f"stopped after {epoch + 1} epochs, test concordance {c:.3f}")


if __name__ == "__main__":
    main()
