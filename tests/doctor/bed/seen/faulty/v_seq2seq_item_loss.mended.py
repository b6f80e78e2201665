# expect: nothing
"""Encoder-decoder GRU that reverses short sequences of numbers, trained with teacher forcing."""
import torch
from torch import nn

torch.manual_seed(0)
V, T, H = 6, 4, 32


class Seq2Seq(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(V + 1, 16)
        self.enc = nn.GRU(16, H, batch_first=True)
        self.dec = nn.GRUCell(16, H)
        self.out = nn.Linear(H, V)

    def encode(self, src):
        return self.enc(self.emb(src))[1][0]

    def decode_step(self, token, h):
        h = self.dec(self.emb(token), h)
        return self.out(h), h


def batch(n):
    src = torch.randint(0, V, (n, T))
    return src, src.flip(1)


model = Seq2Seq()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
criterion = nn.CrossEntropyLoss()


def train_step(n=64):
    src, tgt = batch(n)
    optimizer.zero_grad()
    h = model.encode(src)
    token = torch.full((n,), V)
    total = torch.zeros(())
    for t in range(T):
        logits, h = model.decode_step(token, h)
        total = total + criterion(logits, tgt[:, t])
        token = tgt[:, t]
    loss = total / T
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.no_grad()
def greedy_accuracy(n=300):
    model.eval()
    src, tgt = batch(n)
    h, token, right = model.encode(src), torch.full((n,), V), 0
    for t in range(T):
        logits, h = model.decode_step(token, h)
        token = logits.argmax(1)
        right += (token == tgt[:, t]).float().mean().item()
    model.train()
    return right / T


for it in range(200):
    loss = train_step()
    if it % 50 == 49:
        print(f"iter {it + 1} loss {loss:.4f} token accuracy {greedy_accuracy():.3f}")
