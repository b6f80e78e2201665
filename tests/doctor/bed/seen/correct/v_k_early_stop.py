# expect: nothing
"""Early stopping and ReduceLROnPlateau on validation loss, checkpoint in a temporary folder, test once."""
import os
import tempfile

import torch
import torch.nn as nn
from sklearn.datasets import make_friedman1
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(19)
X, y = make_friedman1(n_samples=1000, n_features=8, noise=1.0, random_state=19)
X, y = torch.tensor(X, dtype=torch.float32) * 2 - 1, torch.tensor(y, dtype=torch.float32).unsqueeze(1)
y = (y - y[:700].mean()) / y[:700].std()
train_dl = DataLoader(TensorDataset(X[:700], y[:700]), batch_size=32, shuffle=True)
val_dl = DataLoader(TensorDataset(X[700:850], y[700:850]), batch_size=150)
test_dl = DataLoader(TensorDataset(X[850:], y[850:]), batch_size=150)


class EarlyStopping:
    def __init__(self, path, patience=5):
        self.path, self.patience, self.best, self.count = path, patience, float("inf"), 0

    def __call__(self, value, model):
        if value < self.best:
            self.best, self.count = value, 0
            torch.save(model.state_dict(), self.path)
        else:
            self.count += 1
        return self.count >= self.patience


def evaluate(model, dl):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        total = sum(nn.functional.mse_loss(model(a), b, reduction="sum").item() for a, b in dl)
    model.train(was_training)
    return total / len(dl.dataset)


model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Dropout(0.05), nn.Linear(64, 1))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
sched = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=2)
with tempfile.TemporaryDirectory() as tmp:
    stopper = EarlyStopping(os.path.join(tmp, "best.pt"))
    for epoch in range(40):
        model.train()
        for a, b in train_dl:
            opt.zero_grad()
            loss = nn.functional.mse_loss(model(a), b)
            loss.backward()
            opt.step()
        val = evaluate(model, val_dl)
        sched.step(val)
        if epoch % 5 == 0:
            print(f"epoch {epoch} val {val:.4f} lr {opt.param_groups[0]['lr']}")
        if stopper(val, model):
            print("stopped at", epoch)
            break
    model.load_state_dict(torch.load(stopper.path))
print(f"test mse {evaluate(model, test_dl):.4f}")
