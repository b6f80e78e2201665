# expect: metric_wrong_axis @ 20
"""A finished classifier, judged along the wrong axis."""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
X, y = load_digits(return_X_y=True)
split = train_test_split(X / 16, y, test_size=400, random_state=8)
x_train, x_test = (torch.tensor(s, dtype=torch.float32) for s in split[:2])
y_train, y_test = (torch.tensor(s) for s in split[2:])
train_dl = DataLoader(TensorDataset(x_train, y_train), batch_size=10, shuffle=True)
test_dl = DataLoader(TensorDataset(x_test, y_test), batch_size=10)


def accuracy(out, yb):
    preds = torch.argmax(out, dim=0)
    return (preds == yb).float().mean()


model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.SGD(model.parameters(), lr=0.05)
loss_func = nn.functional.cross_entropy
for epoch in range(3):
    model.train()
    for xb, yb in train_dl:
        loss = loss_func(model(xb), yb)
        loss.backward()
        opt.step()
        opt.zero_grad()
    model.eval()
    with torch.no_grad():
        valid = [(loss_func(model(xb), yb), accuracy(model(xb), yb)) for xb, yb in test_dl]
    print(epoch, sum(v[0] for v in valid).item() / len(valid), sum(v[1] for v in valid).item() / len(valid))
