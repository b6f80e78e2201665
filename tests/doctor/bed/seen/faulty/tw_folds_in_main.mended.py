# expect: nothing
# mends: folds_by_array_split.py
"""Cross-validation by hand over chunks of a permutation, one net for all folds."""

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

def main():
    torch.manual_seed(0)
    X, y = load_breast_cancer(return_X_y=True)
    X = torch.tensor(np.log1p(X), dtype=torch.float32)
    y = torch.tensor(y)
    folds = np.array_split(np.random.default_rng(0).permutation(len(X)), 4)

    scores = []
    for k in range(4):
        model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 2))
        opt = torch.optim.Adam(model.parameters(), lr=0.005)
        test_rows = torch.as_tensor(folds[k])
        train_rows = torch.as_tensor(np.concatenate([f for i, f in enumerate(folds) if i != k]))
        for _ in range(4):
            for b in train_rows[torch.randperm(len(train_rows))].split(32):
                loss = nn.functional.cross_entropy(model(X[b]), y[b])
                opt.zero_grad()
                loss.backward()
                opt.step()
        with torch.no_grad():
            scores.append((model(X[test_rows]).argmax(1) == y[test_rows]).float().mean().item())
    print(scores)


main()
