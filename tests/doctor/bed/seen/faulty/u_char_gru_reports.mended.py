# expect: nothing
"""Character language model: a GRU learns short weather reports and is asked to continue one of them."""
import math
import random

import torch
from torch import nn

random.seed(3)
torch.manual_seed(3)

PLACES = ["Bergen", "Oslo", "Tromso", "Bodo", "Molde"]
SKIES = ["clear", "cloudy", "grey with rain", "foggy", "bright"]
WINDS = ["calm", "light wind from the west", "strong wind from the north", "a breeze"]


def report():
    return f"{random.choice(PLACES)}: {random.choice(SKIES)}, {random.choice(WINDS)}, {random.randint(1, 25)} degrees.\n"


text = "".join(report() for _ in range(260))
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
codes = torch.tensor([stoi[c] for c in text])
cut = int(0.85 * len(codes))


def streams(data, n):
    length = (len(data) - 1) // n
    return data[: n * length].view(n, length), data[1 : n * length + 1].view(n, length)


class CharModel(nn.Module):
    def __init__(self, vocab, emb=24, hidden=64):
        super().__init__()
        self.emb = nn.Embedding(vocab, emb)
        self.gru = nn.GRU(emb, hidden, batch_first=True)
        self.out = nn.Linear(hidden, vocab)

    def forward(self, x, h=None):
        y, h = self.gru(self.emb(x), h)
        return self.out(y), h


model = CharModel(len(chars))
optimizer = torch.optim.Adam(model.parameters(), lr=6e-3)
loss_fn = nn.CrossEntropyLoss()
SPAN = 30

xs, ys = streams(codes[:cut], 16)
vx, vy = streams(codes[cut:], 4)

for epoch in range(8):
    model.train()
    hidden, total, steps = None, 0.0, 0
    for start in range(0, xs.shape[1] - SPAN + 1, SPAN):
        x, y = xs[:, start : start + SPAN], ys[:, start : start + SPAN]
        if hidden is not None:
            hidden = hidden.detach()
        logits, hidden = model(x, hidden)
        loss = loss_fn(logits.reshape(-1, len(chars)), y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        total += loss.item()
        steps += 1
    model.eval()
    with torch.no_grad():
        logits, _ = model(vx)
        val = loss_fn(logits.reshape(-1, len(chars)), vy.reshape(-1)).item()
    print(f"epoch {epoch + 1} train {total / steps:.3f} val {val:.3f} perplexity {math.exp(val):.2f}")

model.eval()
with torch.no_grad():
    line, h = "Oslo: ", None
    x = torch.tensor([[stoi[c] for c in line]])
    for _ in range(40):
        logits, h = model(x, h)
        x = logits[:, -1].argmax(-1, keepdim=True)
        line += chars[x.item()]
print(repr(line))
