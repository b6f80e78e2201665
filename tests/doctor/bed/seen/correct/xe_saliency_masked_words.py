# expect: nothing
"""Masked-word model. Training masks are fresh; the check uses one fixed set of masks,
and at the end we look at which words the answer leans on (needs input gradients)."""
import torch
from torch import nn
from torch.utils.data import DataLoader

torch.manual_seed(40)
TOPICS, PER, LEN = 5, 12, 10
MASK = TOPICS * PER
V = MASK + 1


def sentences(n):
    topic = torch.randint(0, TOPICS, (n, 1))
    # words of a sentence: same topic, odd ones or even ones only
    parity = torch.randint(0, 2, (n, 1))
    return topic * PER + 2 * torch.randint(0, PER // 2, (n, LEN)) + parity


class FixedMask:
    """Same holes every time it is called, so that figures of epochs can be compared."""

    def __init__(self, seed):
        self.seed = seed

    def __call__(self, rows):
        x = torch.stack(rows)
        g = torch.Generator().manual_seed(self.seed)
        return hide(x, torch.rand(x.shape, generator=g) < 0.2)


def fresh_mask(rows):
    x = torch.stack(rows)
    return hide(x, torch.rand(x.shape) < 0.2)


def hide(x, holes):
    holes[:, 0] |= ~holes.any(1)
    return x.masked_fill(holes, MASK), x.masked_fill(~holes, -100)


class Filler(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.emb = nn.Embedding(V, d)
        self.attn = nn.MultiheadAttention(d, 4, batch_first=True)
        self.n1, self.n2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.ff = nn.Sequential(nn.Linear(d, 64), nn.GELU(), nn.Linear(64, d))
        nn.init.zeros_(self.ff[-1].weight)      # branch starts as the identity
        nn.init.zeros_(self.ff[-1].bias)
        self.out = nn.Linear(d, V - 1)

    def from_vectors(self, e):
        h = self.n1(e + self.attn(e, e, e, need_weights=False)[0])
        return self.out(self.n2(h + self.ff(h)))

    def forward(self, x):
        return self.from_vectors(self.emb(x))


def ce(logits, y):
    return nn.functional.cross_entropy(logits.transpose(1, 2), y, ignore_index=-100)


train = DataLoader(list(sentences(3000)), batch_size=60, shuffle=True, collate_fn=fresh_mask)
held = DataLoader(list(sentences(500)), batch_size=100, collate_fn=FixedMask(5))
net = Filler()
opt = torch.optim.AdamW(net.parameters(), lr=3e-3)

for epoch in range(6):
    net.train()
    for x, y in train:
        loss = ce(net(x), y)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        score = sum(ce(net(x), y).item() for x, y in held) / len(held)
    print(f"epoch {epoch}: held-out loss {score:.4f} (best possible about {torch.tensor(PER / 2).log():.4f})")

# which neighbours matter for the filled word?
x, y = next(iter(held))
vectors = net.emb(x).detach().requires_grad_()
logits = net.from_vectors(vectors)
best = logits[y != -100].max(1).values.sum()
(grad,) = torch.autograd.grad(best, vectors)
weight = (grad * vectors.detach()).sum(-1).abs()
print("mean weight of holes", round(weight[y != -100].mean().item(), 4))
print("mean weight of words", round(weight[y == -100].mean().item(), 4))
