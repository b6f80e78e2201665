# expect: nothing
"""Progressive unfreezing: first the head, from epoch 3 on the whole network, with a decaying rate."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(2)
X, y = load_digits(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X / 16.0, y, test_size=0.25, random_state=2, stratify=y)
to = lambda a, b: TensorDataset(torch.tensor(a, dtype=torch.float32), torch.tensor(b))
train_loader = DataLoader(to(X_tr, y_tr), batch_size=64, shuffle=True)
test_loader = DataLoader(to(X_te, y_te), batch_size=256)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.backbone(x))


class FineTuner:
    def __init__(self, net):
        self.net = net
        net.backbone.requires_grad_(False)
        self.opt = torch.optim.SGD(net.head.parameters(), lr=0.2, momentum=0.9)
        self.sched = torch.optim.lr_scheduler.ExponentialLR(self.opt, gamma=0.8)

    def unfreeze(self):
        self.net.backbone.requires_grad_(True)
        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.2, momentum=0.9)
        self.sched = torch.optim.lr_scheduler.ExponentialLR(self.opt, gamma=0.8)

    def epoch(self, n):
        if n == 3:
            self.unfreeze()
        self.net.train()
        total = 0.0
        for x, t in train_loader:
            self.opt.zero_grad()
            loss = nn.functional.cross_entropy(self.net(x), t)
            loss.backward()
            self.opt.step()
            total += loss.item()
        self.sched.step()
        return total / len(train_loader)

    @torch.no_grad()
    def accuracy(self):
        self.net.eval()
        good = sum((self.net(x).argmax(1) == t).sum().item() for x, t in test_loader)
        return good / len(test_loader.dataset)


tuner = FineTuner(Net())
for n in range(12):
    loss = tuner.epoch(n)
    rate = tuner.opt.param_groups[0]["lr"]
    print(f"epoch {n} lr {rate:.4f} loss {loss:.4f} acc {tuner.accuracy():.3f}")
