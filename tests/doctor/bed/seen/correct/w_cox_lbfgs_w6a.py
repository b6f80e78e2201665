# expect: nothing
"""Cox proportional hazards with L-BFGS on plain tensors; concordance on held-out patients."""
import numpy as np
import torch


def patients(n, seed):
    rng = np.random.default_rng(seed)
    age = rng.normal(60, 10, n)
    marker = rng.lognormal(1.0, 0.5, n)
    treated = rng.integers(0, 2, n)
    stage = rng.integers(1, 5, n)
    noise = rng.normal(size=(n, 3))
    risk = 0.05 * (age - 60) + 0.6 * np.log(marker) - 0.8 * treated + 0.5 * (stage - 2.5)
    event_time = rng.exponential(np.exp(-risk) * 24)
    censor_time = rng.uniform(6, 60, n)
    x = np.column_stack([age, np.log(marker), treated, stage, noise])
    return x, np.minimum(event_time, censor_time), (event_time <= censor_time)


def sort_by_time(x, time, event):
    """Longest first, so that a running sum covers everyone still at risk."""
    order = torch.argsort(time, descending=True)
    return x[order], time[order], event[order]


def negative_partial_log_likelihood(score, event):
    log_risk = torch.logcumsumexp(score, dim=0)
    return -((score - log_risk) * event).sum() / event.sum()


def fit(x, event, ridge=1e-2, rounds=20):
    beta = torch.zeros(x.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([beta], lr=1.0, max_iter=5, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = negative_partial_log_likelihood(x @ beta, event) + ridge * beta.pow(2).sum()
        loss.backward()
        return loss

    previous = float("inf")
    for i in range(rounds):
        loss = optimizer.step(closure).item()
        print(f"round {i}: loss {loss:.6f}")
        if previous - loss < 1e-6:
            break
        previous = loss
    return beta.detach()


def concordance(score, time, event):
    earlier = (time[:, None] < time[None, :]) & event.bool()[:, None]
    right = (score[:, None] > score[None, :]) & earlier
    tied = (score[:, None] == score[None, :]) & earlier
    return ((right.sum() + 0.5 * tied.sum()) / earlier.sum()).item()


def main():
    x, time, event = patients(700, seed=20)
    order = np.random.default_rng(21).permutation(len(x))
    train, test = order[:500], order[500:]
    mean, std = x[train].mean(axis=0), x[train].std(axis=0)

    def tensors(rows):
        return (torch.tensor((x[rows] - mean) / std, dtype=torch.float32),
                torch.tensor(time[rows], dtype=torch.float32),
                torch.tensor(event[rows], dtype=torch.float32))

    xtr, ttr, etr = sort_by_time(*tensors(train))
    xte, tte, ete = tensors(test)
    print(f"{int(etr.sum())} of {len(etr)} training patients had the event")
    beta = fit(xtr, etr)
    names = ["age", "log marker", "treated", "stage", "n1", "n2", "n3"]
    for name, b in zip(names, beta.tolist()):
        print(f"  {name:10s} {b:+.3f}")
    print(f"concordance: train {concordance(xtr @ beta, ttr, etr):.3f}, test {concordance(xte @ beta, tte, ete):.3f}")


if __name__ == "__main__":
    main()
