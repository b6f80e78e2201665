# expect: nothing
import itertools

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

# small clinical-like table: 300 rows, noisy labels
X, y = make_classification(n_samples=300, n_features=15, n_informative=4, n_redundant=2,
                           class_sep=0.7, flip_y=0.25, random_state=4)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=60, stratify=y, random_state=4)
X_train, X_valid, y_train, y_valid = train_test_split(X_train, y_train, test_size=60, stratify=y_train, random_state=4)

scaler = StandardScaler()
X_train = torch.tensor(scaler.fit_transform(X_train), dtype=torch.float32)
X_test = torch.tensor(scaler.transform(X_test), dtype=torch.float32)
X_valid = torch.tensor(scaler.transform(X_valid), dtype=torch.float32)
y_valid = torch.tensor(y_valid)
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)


class MLP(nn.Module):
    def __init__(self, n_in, hidden, p):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_in, hidden), nn.ReLU(), nn.Dropout(p),
            nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(p),
            nn.Linear(hidden, 2),
        )

    def forward(self, x):
        return self.layers(x)


def fit(hidden, lr, p, epochs=20, seed=0):
    torch.manual_seed(seed)
    model = MLP(X_train.shape[1], hidden, p)
    opt = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=1e-3)
    loss_fn = nn.CrossEntropyLoss()
    for _ in range(epochs):
        model.train()
        for idx in torch.randperm(len(X_train)).split(30):
            opt.zero_grad()
            loss = loss_fn(model(X_train[idx]), y_train[idx])
            loss.backward()
            opt.step()
    return model


@torch.no_grad()
def accuracy(model, X, y):
    model.eval()
    return (model(X).argmax(1) == y).float().mean().item()


grid = itertools.product([8, 16, 32], [1e-3, 3e-3, 1e-2], [0.0, 0.3])
best_acc, best_cfg, best_model = 0.0, None, None
for hidden, lr, p in grid:
    model = fit(hidden, lr, p)
    acc = accuracy(model, X_valid, y_valid)
    print(f"hidden={hidden:3d} lr={lr:g} dropout={p:.1f}  acc={acc:.3f}")
    if acc > best_acc:
        best_acc, best_cfg, best_model = acc, (hidden, lr, p), model

print("best setting:", best_cfg)
print(f"test accuracy: {accuracy(best_model, X_test, y_test):.3f}")
