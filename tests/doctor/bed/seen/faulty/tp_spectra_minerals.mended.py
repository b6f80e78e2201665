# expect: nothing
"""Mineral identification from Raman-like spectra: 1-D conv net, early stopping on a validation part, one test at the end."""
import io

import numpy as np
import torch
import torch.nn as nn

SPLIT = {"val": 120, "test": 160}


def spectra(n, seed=5):
    rng = np.random.default_rng(seed)
    shift = np.linspace(100, 1200, 110)
    lines = [(206, 464), (284, 1086), (178, 510), (225, 612), (390, 860)]
    label = rng.integers(0, len(lines), n)
    rows = rng.normal(0, 0.25, (n, len(shift)))
    for i, k in enumerate(label):
        for centre in lines[k]:
            c = centre + rng.normal(0, 8)
            rows[i] += rng.uniform(0.5, 1.1) * np.exp(-0.5 * ((shift - c) / 14) ** 2)
        rows[i] += rng.uniform(0, 0.8) * np.exp(-shift / 700)
    return torch.tensor(rows, dtype=torch.float32).unsqueeze(1), torch.tensor(label)


def partition(n, generator):
    """Indices of the three parts, taken from the end of one random order."""
    order = torch.randperm(n, generator=generator)
    n_val, n_test = SPLIT["val"], SPLIT["test"]
    test = order[-n_test:]
    val = order[-(n_val + n_test):-n_test]
    train = order[:-(n_val + n_test)]
    return train, val, test


def build(n_classes):
    return nn.Sequential(
        nn.Conv1d(1, 12, 9, stride=2, padding=4), nn.ReLU(), nn.MaxPool1d(2),
        nn.Conv1d(12, 24, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2),
        nn.Flatten(), nn.Dropout(0.4), nn.Linear(24 * 13, n_classes))


@torch.no_grad()
def score(model, x, y):
    model.eval()
    logits = model(x)
    return nn.functional.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


def train_until_stale(model, xs, ys, part, patience=4, max_epochs=25):
    train, val = part
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    best, stale, checkpoint = float("inf"), 0, io.BytesIO()
    for epoch in range(max_epochs):
        model.train()
        for idx in train[torch.randperm(len(train))].split(64):
            optimizer.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(model(xs[idx]), ys[idx]).backward()
            optimizer.step()
        val_loss, val_acc = score(model, xs[val], ys[val])
        if val_loss < best - 1e-4:
            best, stale = val_loss, 0
            checkpoint = io.BytesIO()
            torch.save(model.state_dict(), checkpoint)
            print(f"epoch {epoch:2d} val loss {val_loss:.4f} acc {val_acc:.3f} *")
        else:
            stale += 1
            if stale == patience:
                break
    checkpoint.seek(0)
    model.load_state_dict(torch.load(checkpoint))


if __name__ == "__main__":
    torch.manual_seed(5)
    x, y = spectra(900)
    train, val, test = partition(len(x), torch.Generator().manual_seed(5))
    model = build(5)
    train_until_stale(model, x, y, (train, val))
    loss, acc = score(model, x[test], y[test])
    print(f"{len(train)} training spectra, test loss {loss:.4f} acc {acc:.3f}")
