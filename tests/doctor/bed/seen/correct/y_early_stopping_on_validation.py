# expect: nothing
# looks suspicious: the epoch is chosen by a score and weights are put back: by the validation rows; the
# test rows are looked at once, after it.
import copy

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class EarlyStopper:
    def __init__(self, patience=3, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.counter, self.min_validation_loss, self.state = 0, float("inf"), None

    def early_stop(self, validation_loss, model):
        if validation_loss < self.min_validation_loss - self.min_delta:
            self.min_validation_loss, self.counter = validation_loss, 0
            self.state = copy.deepcopy(model.state_dict())
        else:
            self.counter += 1
        return self.counter >= self.patience


def validate_one_epoch(model, loader):
    model.eval()
    with torch.no_grad():
        return sum(criterion(model(x), y).item() for x, y in loader) / len(loader)


torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, random_state=0, stratify=y)
X, X_val, y, y_val = train_test_split(X, y, test_size=0.2, random_state=0, stratify=y)
scaler = StandardScaler().fit(X)
train_loader, validation_loader, test_loader = (
    DataLoader(
        TensorDataset(torch.tensor(scaler.transform(a)).float(), torch.tensor(b).float()[:, None]),
        batch_size=32,
        shuffle=a is X,
    )
    for a, b in ((X, y), (X_val, y_val), (X_test, y_test))
)
model = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
early_stopper = EarlyStopper(patience=3)
for epoch in range(40):
    model.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    validation_loss = validate_one_epoch(model, validation_loader)
    print(f"epoch {epoch} train {loss.item():.4f} validation {validation_loss:.4f}")
    if early_stopper.early_stop(validation_loss, model):
        break
model.load_state_dict(early_stopper.state)
print(f"test loss {validate_one_epoch(model, test_loader):.4f}")
