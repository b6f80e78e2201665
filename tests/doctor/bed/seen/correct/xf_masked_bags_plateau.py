# expect: nothing
"""Bags of different size, attention pooling with empty slots masked out, plateau schedule on accuracy."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(40)
SLOTS, WIDTH = 8, 6


def make_bags(n):
    size = torch.randint(2, SLOTS + 1, (n,))
    filled = torch.arange(SLOTS)[None, :] < size[:, None]
    items = torch.randn(n, SLOTS, WIDTH)
    label = torch.randint(0, 3, (n,))
    where = (torch.rand(n) * size).long()
    items[torch.arange(n), where, 0] += 4.0
    items[torch.arange(n), where, 1] += 3.0 * (label - 1)
    items[~filled] = 0.0
    return items, filled, label


class Pool(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(WIDTH, 24), nn.ReLU())
        self.score = nn.Linear(24, 1)
        self.out = nn.Linear(24, 3)

    def forward(self, items, filled):
        h = self.embed(items)
        s = self.score(h).squeeze(-1).masked_fill(~filled, float("-inf"))
        return self.out((s.softmax(dim=1).unsqueeze(-1) * h).sum(1))


@torch.no_grad()
def accuracy(net, data):
    net.eval()
    items, filled, label = data
    return (net(items, filled).argmax(1) == label).float().mean().item()


train, valid, test = make_bags(1500), make_bags(400), make_bags(400)
net = Pool()
opt = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, mode="max", factor=0.3, patience=3)

for epoch in range(30):
    net.train()
    total = 0.0
    for rows in torch.randperm(len(train[2])).split(50):
        items, filled, label = (t[rows] for t in train)
        logits = net(items, filled)
        loss = (logits.logsumexp(1) - logits.gather(1, label[:, None]).squeeze(1)).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(rows)
    score = accuracy(net, valid)
    plateau.step(score)
    if epoch % 6 == 5:
        print(f"epoch {epoch + 1:2d}  loss {total / 1500:.4f}  valid {score:.3f}  lr {opt.param_groups[0]['lr']:.4f}")

print(f"test accuracy {accuracy(net, test):.3f}")
