# expect: nothing
# %% [markdown]
"""Notebook turned into a script: digits with batch norm and dropout, five folds, early stopping, fold models averaged on the test rows."""
# %%
import copy

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, train_test_split
from torch import nn

torch.manual_seed(2)
images, target = load_digits(return_X_y=True)
dev_x, test_x, dev_y, test_y = train_test_split(images / 16.0, target, test_size=0.2, stratify=target, random_state=2)
dev_x, test_x = (torch.tensor(a, dtype=torch.float32) for a in (dev_x, test_x))
dev_y, test_y = torch.tensor(dev_y), torch.tensor(test_y)


# %%
def build():
    return nn.Sequential(
        nn.Linear(64, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Dropout(0.4),
        nn.Linear(96, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Dropout(0.4),
        nn.Linear(48, 10),
    )


@torch.no_grad()
def validate(model, x, y):
    model.eval()
    loss = nn.functional.cross_entropy(model(x), y).item()
    model.train()
    return loss


def fit_fold(x, y, vx, vy, max_epochs=10, patience=3):
    model = build()
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    best, kept, waited = float("inf"), None, 0
    for epoch in range(max_epochs):
        order = torch.randperm(len(x))
        for rows in order[: len(order) // 64 * 64].split(64):
            opt.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            opt.step()
        current = validate(model, vx, vy)
        if current < best:
            best, kept, waited = current, copy.deepcopy(model.state_dict()), 0
        else:
            waited += 1
            if waited == patience:
                break
    model.load_state_dict(kept)
    return model, best


# %%
@torch.no_grad()
def predict(model, x):
    model.eval()
    return torch.softmax(model(x), dim=1)


votes = torch.zeros(len(test_x), 10)
folds = StratifiedKFold(n_splits=3, shuffle=True, random_state=2)
for number, (tr, va) in enumerate(folds.split(dev_x, dev_y)):
    model, best = fit_fold(dev_x[tr], dev_y[tr], dev_x[va], dev_y[va])
    single = predict(model, test_x)
    votes += single / folds.get_n_splits()
    print(f"fold {number}: validation loss {best:.4f}, test accuracy {(single.argmax(1) == test_y).float().mean():.4f}")

# %%
print(f"ensemble test accuracy {(votes.argmax(1) == test_y).float().mean():.4f}")
