# expect: nothing
"""Tumour subtype from RNA-seq counts: CPM, log, top variable genes, small MLP."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn

N_SAMPLES, N_GENES, N_TOP = 480, 300, 60
SUBTYPES = ["basal", "luminal", "her2"]


def simulate_tables(rng):
    """A count matrix as it comes from the sequencer and the clinicians' sample sheet."""
    subtype = rng.integers(0, len(SUBTYPES), N_SAMPLES)
    base = rng.lognormal(3.0, 1.0, N_GENES)
    fold = np.ones((len(SUBTYPES), N_GENES))
    for k in range(len(SUBTYPES)):
        fold[k, rng.choice(N_GENES, 20, replace=False)] = rng.choice([0.4, 2.5], 20)
    depth = rng.uniform(0.6, 1.6, N_SAMPLES)
    noise = rng.lognormal(0.0, 0.5, (N_SAMPLES, N_GENES))
    counts = rng.poisson(base * fold[subtype] * depth[:, None] * noise)
    names = [f"S{code}" for code in rng.permutation(np.arange(1000, 1000 + N_SAMPLES))]
    counts = pd.DataFrame(counts, index=names, columns=[f"gene{g}" for g in range(N_GENES)])
    meta = pd.DataFrame({"sample": names, "subtype": [SUBTYPES[s] for s in subtype]})
    return counts, meta.sort_values("sample").set_index("sample")


def log_cpm(counts):
    return np.log2(counts.div(counts.sum(axis=1), axis=0) * 1e6 + 1)


def load(rng):
    counts, meta = simulate_tables(rng)
    expr = log_cpm(counts)
    assert set(expr.index) == set(meta.index)
    codes = meta.loc[expr.index, "subtype"].map(SUBTYPES.index).to_numpy()
    return expr, codes


def prepare(expr, train_rows, test_rows):
    train, test = expr.iloc[train_rows], expr.iloc[test_rows]
    top = train.var().nlargest(N_TOP).index
    mean, std = train[top].mean(), train[top].std()
    as_tensor = lambda frame: torch.tensor(((frame[top] - mean) / std).to_numpy(), dtype=torch.float32)
    return as_tensor(train), as_tensor(test)


def main():
    torch.manual_seed(17)
    rng = np.random.default_rng(17)
    expr, codes = load(rng)
    rows = rng.permutation(len(expr))
    train_rows, test_rows = rows[:360], rows[360:]
    x_train, x_test = prepare(expr, train_rows, test_rows)
    y_train, y_test = torch.tensor(codes[train_rows]), torch.tensor(codes[test_rows])

    model = nn.Sequential(nn.Linear(N_TOP, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, len(SUBTYPES)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(1, 21):
        model.train()
        losses = []
        for batch in torch.randperm(len(x_train)).split(24):
            optimizer.zero_grad()
            loss = criterion(model(x_train[batch]), y_train[batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 5 == 0:
            print(f"epoch {epoch}: training loss {np.mean(losses):.3f}")

    model.eval()
    with torch.no_grad():
        predicted = model(x_test).argmax(dim=1)
    for k, name in enumerate(SUBTYPES):
        of_class = y_test == k
        print(f"{name:8s} n={int(of_class.sum()):3d} recall {(predicted[of_class] == k).float().mean().item():.3f}")
    print(f"test accuracy {(predicted == y_test).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
