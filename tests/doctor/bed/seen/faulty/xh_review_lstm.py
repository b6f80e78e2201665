# expect: symmetric_init @ 45
# allowed: symmetric_init @ 63
"""Sentiment of little made-up reviews with a word LSTM."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
g = torch.Generator().manual_seed(0)

good = "great lovely superb warm funny clever".split()
bad = "dull awful weak cold boring silly".split()
filler = "the film was and a plot with some scene very actor it".split()
vocab = {w: i for i, w in enumerate(filler + good + bad + ["not"])}
SEQ = 10


def review():
    label = int(torch.randint(2, (1,), generator=g))
    words = [filler[int(i)] for i in torch.randint(len(filler), (SEQ,), generator=g)]
    pos = torch.randperm(SEQ - 1, generator=g)[:2].add(1).tolist()
    for p in pos:
        flip = bool(torch.rand(1, generator=g) < 0.5)
        pool = good if bool(label) != flip else bad
        words[p] = pool[int(torch.randint(len(pool), (1,), generator=g))]
        if flip:
            words[p - 1] = "not" if p - 1 not in pos else words[p - 1]
            if words[p - 1] != "not":
                words[p] = (good if label else bad)[0]
    return [vocab[w] for w in words], label


data = [review() for _ in range(1200)]
X = torch.tensor([d[0] for d in data])
Y = torch.tensor([d[1] for d in data])
train_dl = DataLoader(TensorDataset(X[:900], Y[:900]), batch_size=32, shuffle=True)
test_dl = DataLoader(TensorDataset(X[900:], Y[900:]), batch_size=100)


def init_weights(m):
    if isinstance(m, (nn.LSTM, nn.Linear)):
        for name, p in m.named_parameters():
            if "weight" in name:
                nn.init.constant_(p, 0.05)
            else:
                nn.init.zeros_(p)


class ReviewLSTM(nn.Module):
    def __init__(self, vocab_size, emb=16, hid=32):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, emb)
        self.lstm = nn.LSTM(emb, hid, batch_first=True)
        self.out = nn.Linear(hid, 2)

    def forward(self, x):
        _, (h, _) = self.lstm(self.embedding(x))
        return self.out(h[-1])


model = ReviewLSTM(len(vocab))
model.apply(init_weights)
opt = torch.optim.Adam(model.parameters(), lr=5e-3)

for ep in range(1, 9):
    model.train()
    running = 0.0
    for xb, yb in train_dl:
        opt.zero_grad()
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
        running += loss.item() * len(xb)
    print(f"epoch {ep}: loss {running / 900:.4f}")

model.eval()
hits = 0
with torch.no_grad():
    for xb, yb in test_dl:
        hits += (model(xb).argmax(-1) == yb).sum().item()
print("test accuracy", hits / 300)
