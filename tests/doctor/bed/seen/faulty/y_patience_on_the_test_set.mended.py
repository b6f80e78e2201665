# expect: nothing
"""Early stopping looks at the test loss, and the figure of that very epoch is reported."""

import copy

import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_diabetes(return_X_y=True, scaled=False)
y = y / 100
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(X_train, y_train, test_size=0.2, random_state=0)
scaler = StandardScaler().fit(X_train)


def make_loader(features, target, shuffle=False):
    tensors = torch.tensor(scaler.transform(features)).float(), torch.tensor(target).float().unsqueeze(1)
    return DataLoader(TensorDataset(*tensors), batch_size=32, shuffle=shuffle)


train_loader = make_loader(X_train, y_train, True)
val_loader, test_loader = make_loader(X_val, y_val), make_loader(X_test, y_test)


class EarlyStopping:
    def __init__(self, patience):
        self.patience, self.best, self.bad, self.state = patience, float("inf"), 0, None

    def __call__(self, loss, model):
        if loss < self.best:
            self.best, self.bad, self.state = loss, 0, copy.deepcopy(model.state_dict())
        else:
            self.bad += 1
        return self.bad >= self.patience


def mean_loss(model, loader):
    model.eval()
    with torch.no_grad():
        return sum(criterion(model(x), t).item() * len(x) for x, t in loader) / len(loader.dataset)


model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 1))
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
stopper = EarlyStopping(patience=4)
for epoch in range(40):
    model.train()
    for x, t in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), t)
        loss.backward()
        optimizer.step()
    val_loss = mean_loss(model, val_loader)
    if stopper(val_loss, model):
        print(f"stopped after epoch {epoch}")
        break
model.load_state_dict(stopper.state)
print(f"test mse {mean_loss(model, test_loader):.4f}")
