# expect: softmax_wrong_dim @ 42
# allowed: softmax_wrong_dim @ 43
# mend: 42 →         w = F.softmax(s, dim=1)
"""Attention pooling over words for text classification, vocabulary built from a pandas column."""
import random

import pandas as pd
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

random.seed(90)
torch.manual_seed(90)
KEYS = {0: ["goal", "match", "team"], 1: ["vote", "law", "senate"], 2: ["star", "film", "song"]}
FILL = ["and", "the", "of", "to", "in", "was", "on", "it"]


def sentence(k):
    w = random.choices(FILL, k=7) + [random.choice(KEYS[k])]
    random.shuffle(w)
    return " ".join(w)


df = pd.DataFrame({"label": [random.randrange(3) for _ in range(600)]})
df["text"] = df["label"].map(sentence)
vocab = {w: i for i, w in enumerate(sorted(set(" ".join(df.text).split())))}
ids = torch.tensor([[vocab[w] for w in t.split()] for t in df.text])
labels = torch.tensor(df.label.values)


class AttnPool(nn.Module):
    def __init__(self, n_words, dim=16):
        super().__init__()
        self.emb = nn.Embedding(n_words, dim)
        self.score = nn.Linear(dim, 1)
        self.out = nn.Linear(dim, 3)

    def forward(self, x):
        e = self.emb(x)                            # batch, words, dim
        s = self.score(torch.tanh(e)).squeeze(-1)  # batch, words
        w = F.softmax(s, dim=0)
        return self.out((w.unsqueeze(-1) * e).sum(1))


model = AttnPool(len(vocab))
opt = torch.optim.Adam(model.parameters(), lr=0.01)
loader = DataLoader(TensorDataset(ids[:450], labels[:450]), batch_size=30, shuffle=True)
for epoch in range(8):
    model.train()
    tot = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
        tot += loss.item()
    print(f"epoch {epoch} loss {tot / len(loader):.4f}")
model.eval()
with torch.no_grad():
    print("acc", (model(ids[450:]).argmax(1) == labels[450:]).float().mean().item())
