# expect: nothing
"""An EarlyStopping object is asked with the test loss."""

import copy

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset


class EarlyStopping:
    def __init__(self, patience):
        self.patience, self.best, self.bad, self.state = patience, float("inf"), 0, None

    def __call__(self, loss, model):
        if loss < self.best:
            self.best, self.bad, self.state = loss, 0, copy.deepcopy(model.state_dict())
        else:
            self.bad += 1
        return self.bad >= self.patience


def evaluate(model, loader):
    model.eval()
    with torch.no_grad():
        losses = [nn.functional.cross_entropy(model(x), y).item() for x, y in loader]
    return sum(losses) / len(losses)


torch.manual_seed(0)
d = load_digits()
ds = TensorDataset(torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target))
perm = torch.randperm(len(ds)).tolist()
train_loader = DataLoader(Subset(ds, perm[:1300]), batch_size=50, shuffle=True)
val_loader = DataLoader(Subset(ds, perm[1300:1550]), batch_size=100)
test_loader = DataLoader(Subset(ds, perm[1550:]), batch_size=100)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.Adam(model.parameters(), lr=0.02)
stopper = EarlyStopping(patience=2)
for epoch in range(12):
    model.train()
    for x, y in train_loader:
        opt.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        opt.step()
    loss = evaluate(model, val_loader)
    print(epoch, loss)
    if stopper(loss, model):
        break
model.load_state_dict(stopper.state)
print("test loss", evaluate(model, test_loader))
