# expect: softmax_wrong_dim @ 24
"""Which of two marks comes first in a sequence, by one layer of attention with several heads."""
import torch
from torch import nn

LENGTH, KINDS = 12, 6


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.width = heads, dim // heads
        self.q, self.k, self.v = (nn.Linear(dim, dim, bias=False) for _ in range(3))
        self.mix = nn.Linear(dim, dim)
        self.bias = nn.Parameter(torch.zeros(heads, LENGTH, LENGTH))

    def split(self, x):
        return x.view(*x.shape[:2], self.heads, self.width).transpose(1, 2)

    def forward(self, x):
        q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
        scores = q @ k.transpose(-2, -1) / self.width**0.5 + self.bias
        share = torch.dropout(
            torch.softmax(scores, 1),
            0.1,
            self.training,
        )
        return self.mix((share @ v).transpose(1, 2).flatten(2))


class Order(nn.Module):
    def __init__(self, dim=32, heads=4):
        super().__init__()
        self.token, self.place = nn.Embedding(KINDS, dim), nn.Embedding(LENGTH, dim)
        self.attention, self.norm = Attention(dim, heads), nn.LayerNorm(dim)
        self.out = nn.Sequential(nn.Linear(dim, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, tokens):
        x = self.token(tokens) + self.place.weight
        x = self.norm(x + self.attention(x))
        return self.out(x.mean(dim=1))


def draw(n):
    tokens = torch.randint(2, KINDS, (n, LENGTH))
    places = torch.rand(n, LENGTH).argsort(dim=1)[:, :2]
    tokens.scatter_(1, places, torch.tensor([[0, 1]]).expand(n, 2).contiguous())
    return tokens, (places[:, 0] < places[:, 1]).long()


torch.manual_seed(0)
model = Order()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
model.train()
for step in range(150):
    tokens, first = draw(128)
    loss = nn.functional.cross_entropy(model(tokens), first)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
model.eval()
with torch.no_grad():
    tokens, first = draw(1000)
    print(f"accuracy {(model(tokens).argmax(1) == first).float().mean().item():.3f}")
