# expect: selection_on_test @ 40
"""A loop over settings; the one with the best test score is reported."""

import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from torch import nn

X, y = make_classification(900, 20, n_informative=5, flip_y=0.1, random_state=1)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=1)
X_train, X_test = torch.tensor(X_train).float(), torch.tensor(X_test).float()
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)


def train_model(p):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Dropout(p), nn.Linear(64, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _epoch in range(6):
        model.train()
        for rows in torch.randperm(len(X_train)).split(64):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(X_train[rows]), y_train[rows])
            loss.backward()
            optimizer.step()
    return model


def score(model, x, t):
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(1) == t).float().mean().item()


best_acc, best_p, best_model = 0.0, None, None
for p in [0.0, 0.2, 0.4, 0.6]:
    model = train_model(p)
    test_acc = score(model, X_test, y_test)
    print(f"p={p}: {test_acc:.4f}")
    if test_acc > best_acc:
        best_acc, best_p, best_model = test_acc, p, model
print(f"best dropout {best_p} with test accuracy {best_acc:.4f}")
