# expect: softmax_wrong_dim @ 41
# allowed: softmax_wrong_dim @ 28
# allowed: softmax_wrong_dim @ 30
"""Sensor windows of uneven length: the strongest channel at the trigger step is the class.

Attention pooling over the steps, padding left out.
"""
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

CHANNELS, LONGEST = 5, 30


def make_set(n, gen):
    length = torch.randint(12, LONGEST + 1, (n,), generator=gen)
    x = torch.randn(n, LONGEST, CHANNELS, generator=gen)
    place = (torch.rand(n, generator=gen) * length).long()
    rows = torch.arange(n)
    label = x[rows, place].argmax(-1)
    trigger = torch.zeros(n, LONGEST, 1)
    trigger[rows, place] = 1.0
    keep = torch.arange(LONGEST)[None, :] < length[:, None]
    x = torch.cat([x, trigger], dim=-1) * keep.unsqueeze(-1)
    return x, keep, label


def masked_softmax(score, keep, dim=-1):
    score = score.masked_fill(~keep, -1e9)
    return score.softmax(dim)


class Reader(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(CHANNELS + 1, width), nn.Tanh(), nn.Linear(width, 1))
        self.value = nn.Linear(CHANNELS + 1, width)
        self.out = nn.Sequential(nn.GELU(), nn.Linear(width, CHANNELS))

    def forward(self, x, keep):
        att = masked_softmax(self.score(x), keep.unsqueeze(-1))
        pooled = (att * self.value(x)).sum(dim=1)
        return self.out(pooled)


def accuracy(model, loader):
    model.eval()
    hit = n = 0
    with torch.no_grad():
        for x, keep, label in loader:
            hit += (model(x, keep).argmax(-1) == label).sum().item()
            n += label.numel()
    model.train()
    return hit / n


def main():
    torch.manual_seed(2)
    gen = torch.Generator().manual_seed(77)
    train = DataLoader(TensorDataset(*make_set(2000, gen)), batch_size=50, shuffle=True)
    test = DataLoader(TensorDataset(*make_set(600, gen)), batch_size=200)
    model = Reader()
    opt = optim.Adam(model.parameters(), lr=5e-3)
    lossf = nn.CrossEntropyLoss()
    for epoch in range(1, 16):
        total = 0.0
        for x, keep, label in train:
            opt.zero_grad(set_to_none=True)
            loss = lossf(model(x, keep), label)
            loss.backward()
            opt.step()
            total += loss.item() * len(label)
        if epoch % 3 == 0:
            print(f"{epoch:2d} loss {total / len(train.dataset):.4f}")
    print(f"test accuracy {accuracy(model, test):.3f}")


main()
