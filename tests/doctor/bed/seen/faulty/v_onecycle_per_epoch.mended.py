# expect: nothing
"""Convolution over DNA-like strings with OneCycleLR; motifs decide the class."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

BASES = "ACGT"
MOTIFS = ["ACGTAC", "GGTCCA", "TTAGAT"]


def synthesize(n, length=40):
    seq = torch.randint(0, 4, (n, length))
    label = torch.randint(0, 3, (n,))
    for i in range(n):
        m = torch.tensor([BASES.index(b) for b in MOTIFS[label[i]]])
        m = torch.where(torch.rand(6) < 0.1, torch.randint(0, 4, (6,)), m)
        start = int(torch.randint(0, length - 6, (1,)))
        seq[i, start : start + 6] = m
    return TensorDataset(F.one_hot(seq, 4).float().transpose(1, 2), label)


class MotifNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.scan = nn.Conv1d(4, 24, 6)
        self.drop = nn.Dropout(0.2)
        self.out = nn.Linear(24, 3)

    def forward(self, x):
        return self.out(self.drop(F.relu(self.scan(x)).amax(2)))


def train(model, loader, epochs, max_lr):
    opt = torch.optim.SGD(model.parameters(), lr=max_lr, momentum=0.9)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=max_lr, epochs=epochs, steps_per_epoch=len(loader))
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for x, y in loader:
            opt.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            opt.step()
            sched.step()
            total += loss.item()
        if epoch % 3 == 2:
            print(f"epoch {epoch} lr {sched.get_last_lr()[0]:.4f} loss {total / len(loader):.4f}")


def evaluate(model, loader):
    model.eval()
    with torch.no_grad():
        right = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)
    return right / len(loader.dataset)


if __name__ == "__main__":
    torch.manual_seed(10)
    train_loader = DataLoader(synthesize(900), batch_size=30, shuffle=True)
    test_loader = DataLoader(synthesize(300), batch_size=100)
    net = MotifNet()
    train(net, train_loader, epochs=12, max_lr=0.1)
    print(f"test accuracy {evaluate(net, test_loader):.3f}")
