# expect: nothing
"""Character language model: an LSTM trained on a short text in random windows."""
import random

import torch
from torch import nn

WORDS = ("the quick brown fox jumps over lazy dog while small cat sleeps near warm fire and old man reads "
         "long book about ships that sailed cold sea to find new land").split()
TEXT = " ".join(random.Random(1).choices(WORDS, k=700))
chars = sorted(set(TEXT))
stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in TEXT])
split = int(0.8 * len(data))
train_ids, valid_ids = data[:split], data[split:]
WINDOW = 24


class CharLM(nn.Module):
    def __init__(self, n, hidden=64):
        super().__init__()
        self.emb = nn.Embedding(n, 24)
        self.lstm = nn.LSTM(24, hidden, batch_first=True)
        self.to_vocab = nn.Linear(hidden, n)

    def forward(self, x, state=None):
        h, state = self.lstm(self.emb(x), state)
        return self.to_vocab(h).log_softmax(-1), state


def windows(ids, n):
    starts = torch.randint(0, len(ids) - WINDOW - 1, (n,))
    grid = starts[:, None] + torch.arange(WINDOW + 1)
    return ids[grid][:, :-1], ids[grid][:, 1:]


torch.manual_seed(8)
model = CharLM(len(chars))
loss_fn = nn.NLLLoss()
opt = torch.optim.RMSprop(model.parameters(), lr=4e-3)
for step in range(150):
    model.train()
    x, y = windows(train_ids, 32)
    out, _ = model(x)
    loss = loss_fn(out.flatten(0, 1), y.flatten())
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
    if step % 50 == 49:
        model.eval()
        with torch.no_grad():
            x, y = windows(valid_ids, 64)
            out, _ = model(x)
            acc = (out.argmax(-1) == y).float().mean().item()
        print(f"step {step + 1} loss {loss.item():.4f} next-char accuracy {acc:.3f}")
