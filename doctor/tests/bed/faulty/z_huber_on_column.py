# expect: target_broadcast @ 39
# mend: 38 →             prediction = model(xb).squeeze(-1)
"""Diabetes progression with a smooth L1 loss."""

import warnings

import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
torch.manual_seed(1)
features, progression = load_diabetes(return_X_y=True, scaled=True)
features = features * 21.0
f_train, f_test, p_train, p_test = train_test_split(features, progression, test_size=0.2, random_state=9)
mid, spread = p_train.mean(), p_train.std()


def dataset(f, p):
    return TensorDataset(torch.tensor(f).float(), torch.tensor((p - mid) / spread).float())


train_dl = DataLoader(dataset(f_train, p_train), batch_size=32, shuffle=True)
test_dl = DataLoader(dataset(f_test, p_test), batch_size=128)

model = nn.Sequential(nn.Linear(10, 32), nn.SiLU(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
loss_fn = nn.SmoothL1Loss()


def run(loader, update):
    model.train(update)
    total, count = 0.0, 0
    with torch.set_grad_enabled(update):
        for xb, yb in loader:
            prediction = model(xb)
            loss = loss_fn(prediction, yb)
            if update:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item() * len(xb)
            count += len(xb)
    return total / count


for _epoch in range(12):
    train_loss, test_loss = run(train_dl, True), run(test_dl, False)
print(f"train {train_loss:.4f} test {test_loss:.4f}")
