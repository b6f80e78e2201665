# expect: label_misaligned @ 33
# allowed: label_misaligned @ 32
# allowed: label_misaligned @ 35
# allowed: label_misaligned @ 59
"""Ticket routing: text column, tickets ordered by length to pad less, GRU classifier."""
import random
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from torch.nn.utils.rnn import pad_sequence

random.seed(2)
torch.manual_seed(2)

TOPICS = {"billing": "invoice card charge refund payment".split(), "tech": "crash error login bug screen".split(),
          "shipping": "parcel late courier address tracking".split()}
FILL = "the my please help since today with is and not a".split()
rows = []
for _ in range(700):
    topic = random.choice(list(TOPICS))
    words = random.choices(FILL, k=random.randint(2, 9)) + random.choices(TOPICS[topic], k=2)
    random.shuffle(words)
    rows.append((" ".join(words), topic))
df = pd.DataFrame(rows, columns=["text", "queue"])
codes = {q: i for i, q in enumerate(sorted(TOPICS))}
vocab = {w: i + 1 for i, w in enumerate(sorted({w for t in df.text for w in t.split()}))}


def prepare(frame):
    """Encode the texts and the labels, shortest tickets first."""
    labels = torch.tensor(frame["queue"].map(codes).tolist())
    frame = frame.assign(n=frame["text"].str.split().str.len()).sort_values("n")
    seqs = [torch.tensor([vocab[w] for w in t.split()]) for t in frame["text"]]
    return seqs, labels


class Router(nn.Module):
    def __init__(self, n_words, n_out):
        super().__init__()
        self.emb = nn.Embedding(n_words + 1, 16, padding_idx=0)
        self.gru = nn.GRU(16, 24, batch_first=True)
        self.out = nn.Linear(24, n_out)

    def forward(self, x):
        h, _ = self.gru(self.emb(x))
        return self.out(h.max(dim=1).values)


def batches(seqs, labels, size=25, shuffle=False):
    starts = list(range(0, len(seqs), size))
    if shuffle:
        random.shuffle(starts)
    for s in starts:
        yield pad_sequence(seqs[s:s + size], batch_first=True), labels[s:s + size]


train, test = df.iloc[:550], df.iloc[550:]
tr, te = prepare(train), prepare(test)
model = Router(len(vocab), 3)
opt = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(8):
    model.train()
    losses = []
    for x, y in batches(*tr, shuffle=True):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    print(f"epoch {epoch} train loss {np.mean(losses):.3f}")
model.eval()
with torch.no_grad():
    ok = sum((model(x).argmax(1) == y).sum().item() for x, y in batches(*te))
print("accuracy:", round(ok / len(test), 3))
