# expect: nothing
"""Stochastic weight averaging with a last pass that refreshes the batch norms."""
import torch
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(6)


def loaders():
    X, y = load_digits(return_X_y=True)
    Xa, Xb, ya, yb = train_test_split(X / 16, y, test_size=0.25, random_state=6, stratify=y)
    t = lambda a, b: TensorDataset(torch.tensor(a, dtype=torch.float32), torch.tensor(b))
    return DataLoader(t(Xa, ya), batch_size=64, shuffle=True), DataLoader(t(Xb, yb), batch_size=150)


def accuracy(model, loader):
    model.eval()
    with torch.inference_mode():
        n = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)
    return n / len(loader.dataset)


train, test = loaders()
model = nn.Sequential(nn.Linear(64, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 10))
swa = AveragedModel(model)
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
cosine = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=12)
swa_lr = SWALR(opt, swa_lr=0.02, anneal_epochs=3)

for epoch in range(20):
    model.train()
    for x, y in train:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
    if epoch >= 12:
        swa.update_parameters(model)
        swa_lr.step()
    else:
        cosine.step()

update_bn(train, swa)
print(f"last weights {accuracy(model, test):.3f} averaged {accuracy(swa, test):.3f}")
