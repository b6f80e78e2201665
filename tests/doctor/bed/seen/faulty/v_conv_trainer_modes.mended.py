# expect: nothing
"""Conv net with batch norm and dropout on digit images; a trainer class validates every second epoch."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loaders():
    d = load_digits()
    img = torch.tensor(d.images, dtype=torch.float32)[:, None] / 16
    lab = torch.tensor(d.target)
    tr, te = train_test_split(range(len(lab)), test_size=0.3, random_state=1, stratify=d.target)
    return (DataLoader(TensorDataset(img[tr], lab[tr]), 64, shuffle=True, drop_last=True),
            DataLoader(TensorDataset(img[te], lab[te]), 128))


class Trainer:
    def __init__(self, net):
        self.net = net
        self.opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True)

    @torch.no_grad()
    def validate(self, dl):
        self.net.eval()
        good = n = 0
        for a, b in dl:
            good += (self.net(a).argmax(1) == b).sum().item()
            n += len(b)
        return good / n

    def fit(self, train_dl, val_dl, epochs):
        for ep in range(epochs):
            self.net.train()
            for a, b in train_dl:
                self.opt.zero_grad()
                loss = nn.functional.cross_entropy(self.net(a), b)
                loss.backward()
                self.opt.step()
            if ep % 2 == 1:
                print("epoch", ep, "loss", round(loss.item(), 4), "val", round(self.validate(val_dl), 4))


torch.manual_seed(1)
net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
                    nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(),
                    nn.Dropout(0.3), nn.Linear(256, 10))
tr, va = loaders()
Trainer(net).fit(tr, va, 6)
