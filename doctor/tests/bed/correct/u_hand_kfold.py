# expect: nothing
"""Five-fold cross-validation by hand of a small network for breast tumours; a fresh model for every fold."""
from statistics import mean, stdev

import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

K = 5


def folds_of(labels, k, gen):
    """k index tensors, each with its share of both classes."""
    parts = [[] for _ in range(k)]
    for c in labels.unique():
        rows = torch.nonzero(labels == c).squeeze(1)
        rows = rows[torch.randperm(len(rows), generator=gen)]
        for part, piece in zip(parts, rows.tensor_split(k)):
            part.append(piece)
    return [torch.cat(part) for part in parts]


def rounds(folds):
    for i, held_out in enumerate(folds):
        rest = folds[:i] + folds[i + 1 :]
        yield torch.cat(rest), held_out


def standardiser(x):
    mu, sigma = x.mean(dim=0), x.std(dim=0)
    return lambda z: (z - mu) / sigma


def fresh_model(n_in):
    return nn.Sequential(nn.Linear(n_in, 20), nn.ReLU(), nn.Linear(20, 2))


def fit(model, x, y, epochs=12, batch=32):
    opt = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1e-2)
    loss_fn = nn.CrossEntropyLoss()
    model.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(batch):
            opt.zero_grad()
            loss = loss_fn(model(x[rows]), y[rows])
            loss.backward()
            opt.step()
    return loss.item()


def score(model, x, y):
    model.eval()
    with torch.inference_mode():
        return (model(x).argmax(dim=1) == y).float().mean().item()


def main():
    X, y = load_breast_cancer(return_X_y=True)
    X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
    folds = folds_of(y, K, torch.Generator().manual_seed(14))
    results = []
    for number, (train, test) in enumerate(rounds(folds), start=1):
        torch.manual_seed(100 + number)
        scale = standardiser(X[train])
        model = fresh_model(X.shape[1])
        last = fit(model, scale(X[train]), y[train])
        results.append(score(model, scale(X[test]), y[test]))
        print(f"fold {number}: last batch loss {last:.4f}, accuracy {results[-1]:.3f}")
    print(f"mean {mean(results):.3f} +- {stdev(results):.3f} over {K} folds")


if __name__ == "__main__":
    main()
