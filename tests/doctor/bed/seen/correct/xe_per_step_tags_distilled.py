# expect: nothing
"""Per-step tagging with conv nets; scores come as (batch, tags, time). A teacher first, then a small pupil."""
import torch
import torch.nn.functional as F
from torch import nn

TAGS, TIME = 4, 20
torch.manual_seed(5)


def sample(n, gen):
    """the tag is the number of positive readings among the step and its two neighbours"""
    x = torch.randn(n, 1, TIME, generator=gen)
    up = F.pad((x[:, 0] > 0).float(), (1, 1))
    tag = (up[:, :-2] + up[:, 1:-1] + up[:, 2:]).long()
    return x, tag


class Tagger(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.a = nn.Conv1d(1, width, 3, padding=1)
        self.b = nn.Conv1d(width, width, 3, padding=1)
        self.c = nn.Conv1d(width, TAGS, 1)

    def forward(self, x):
        return self.c(F.silu(self.b(F.silu(self.a(x)))))

    def log_probs(self, x, heat=1.0):
        return F.log_softmax(self(x) / heat, dim=1)


def right_share(net, x, tag):
    net.eval()
    with torch.no_grad():
        guess = net(x).softmax(1).argmax(1)
    net.train()
    return guess.eq(tag).float().mean().item()


def teach(net, x, tag, epochs=14):
    opt = torch.optim.Adam(net.parameters(), lr=2e-2)
    for _ in range(epochs):
        for i in torch.randperm(len(x)).split(32):
            loss = F.nll_loss(net.log_probs(x[i]), tag[i])
            opt.zero_grad()
            loss.backward()
            opt.step()
    return loss.item()


def distil(pupil, teacher, x, tag, epochs=15, heat=2.0, mix=0.4):
    teacher.eval()
    with torch.no_grad():
        soft = F.softmax(teacher(x) / heat, dim=1)
    opt = torch.optim.Adam(pupil.parameters(), lr=2e-2)
    for epoch in range(1, epochs + 1):
        total = 0.0
        for i in torch.randperm(len(x)).split(32):
            kl = F.kl_div(pupil.log_probs(x[i], heat), soft[i], reduction="none").sum(1).mean()
            # probabilities as targets are fine for cross_entropy
            hard = F.cross_entropy(pupil(x[i]), F.one_hot(tag[i], TAGS).movedim(-1, 1).float())
            loss = mix * heat**2 * kl + (1 - mix) * hard
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(i)
        if epoch % 3 == 0:
            print(f"pupil epoch {epoch:2d} loss {total / len(x):.4f}")


gen = torch.Generator().manual_seed(50)
x, tag = sample(640, gen)
x_new, tag_new = sample(300, gen)
big, small = Tagger(16), Tagger(10)
print(f"teacher last loss {teach(big, x, tag):.4f}")
distil(small, big, x, tag)
for name, net in (("teacher", big), ("pupil", small)):
    print(f"{name}: {right_share(net, x_new, tag_new):.3f} of the steps right on new sequences")
