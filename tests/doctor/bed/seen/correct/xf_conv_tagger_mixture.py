# expect: nothing
"""Sequence tagging with (batch, class, time) logits, plus a learned mixture of two encoders."""
import torch
import torch.nn.functional as F
from torch import nn


class MixedTagger(nn.Module):
    def __init__(self, vocab=12, d=32, tags=3):
        super().__init__()
        self.emb = nn.Embedding(vocab, d)
        self.local = nn.Conv1d(d, d, 3, padding=1)
        self.wide = nn.Conv1d(d, d, 7, padding=3)
        self.mix = nn.Parameter(torch.zeros(2))
        self.summary = nn.Conv1d(d, 1, 1)
        self.out = nn.Conv1d(2 * d, tags, 1)

    def forward(self, x):
        h = self.emb(x).transpose(1, 2)                       # (batch, d, time)
        w = self.mix.softmax(0)                               # two weights, one vector
        h = F.gelu(w[0] * self.local(h) + w[1] * self.wide(h))
        a = self.summary(h).transpose(1, 2).softmax(dim=1)    # (batch, time, 1)
        pooled = torch.bmm(h, a)                              # (batch, d, 1)
        both = torch.cat([h, pooled.expand_as(h)], dim=1)
        return F.log_softmax(self.out(both), dim=1)           # (batch, tags, time)


def make(n, steps, gen):
    """tag 1: equal to a neighbour; tag 2: lies between two unequal even neighbours; else 0."""
    x = torch.randint(0, 12, (n, steps), generator=gen)
    left = torch.roll(x, 1, dims=1)
    right = torch.roll(x, -1, dims=1)
    left[:, 0], right[:, -1] = -1, -1
    y = torch.zeros_like(x)
    y[(left % 2 == 0) & (right % 2 == 0) & (left >= 0) & (right >= 0)] = 2
    y[(x == left) | (x == right)] = 1
    return x, y


@torch.no_grad()
def per_tag_recall(net, x, y):
    net.eval()
    guess = net(x).argmax(dim=1)
    return [(guess[y == k] == k).float().mean().item() for k in range(3)]


def main():
    torch.manual_seed(6)
    xa, ya = make(1200, 24, torch.Generator().manual_seed(100))
    xb, yb = make(300, 24, torch.Generator().manual_seed(200))
    share = torch.bincount(ya.flatten(), minlength=3).float() / ya.numel()
    net = MixedTagger()
    opt = torch.optim.Adam(net.parameters(), lr=4e-3)
    loss_fn = nn.NLLLoss(weight=(1 / share) / (1 / share).mean())
    for epoch in range(8):
        net.train()
        total = 0.0
        for idx in torch.randperm(len(xa)).split(48):
            opt.zero_grad()
            loss = loss_fn(net(xa[idx]), ya[idx])
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        print(f"epoch {epoch + 1}: loss {total / len(xa):.4f}")
    print("recall per tag", [round(r, 3) for r in per_tag_recall(net, xb, yb)])
    print("mixture", [round(v, 3) for v in net.mix.detach().softmax(0).tolist()])


main()
