# expect: grad_cleared_before_step @ 56
# allowed: grad_cleared_before_step @ 58
# Toy review classifier: words -> attention pooling -> label.
# Several small batches are summed up before one update (memory was short).
import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

rng = np.random.default_rng(21)
torch.manual_seed(21)

GOOD = ["great", "lovely", "fun", "bright", "warm", "clever"]
BAD = ["dull", "awful", "slow", "weak", "flat", "noisy"]
FILL = ["the", "movie", "was", "and", "plot", "actors", "scene", "very", "a", "quite"]
vocab = {w: i + 1 for i, w in enumerate(GOOD + BAD + FILL)}


def review():
    label = int(rng.integers(2))
    main, other = (GOOD, BAD) if label else (BAD, GOOD)
    words = list(rng.choice(main, 3)) + list(rng.choice(other, 1)) + list(rng.choice(FILL, rng.integers(4, 12)))
    rng.shuffle(words)
    return torch.tensor([vocab[w] for w in words]), label


def collate(rows):
    xs, ys = zip(*rows)
    return pad_sequence(xs, batch_first=True), torch.tensor(ys)


class AttnPool(nn.Module):
    def __init__(self, n_words, d=24):
        super().__init__()
        self.emb = nn.Embedding(n_words, d, padding_idx=0)
        self.score = nn.Linear(d, 1)
        self.out = nn.Linear(d, 2)

    def forward(self, x):
        e = self.emb(x)
        s = self.score(torch.tanh(e)).squeeze(-1).masked_fill(x == 0, -1e9)
        return self.out((s.softmax(1).unsqueeze(-1) * e).sum(1))


class Updater:
    def __init__(self, model, optimizer, every=4):
        self.model, self.optimizer, self.every = model, optimizer, every
        self.calls = 0
        optimizer.zero_grad()

    def __call__(self, loss):
        (loss / self.every).backward()
        self.calls += 1
        if self.calls % self.every:
            return False
        self.optimizer.zero_grad()
        nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimizer.step()
        return True


train = torch.utils.data.DataLoader([review() for _ in range(1600)], batch_size=16, shuffle=True, collate_fn=collate)
test = torch.utils.data.DataLoader([review() for _ in range(400)], batch_size=100, collate_fn=collate)

model = AttnPool(len(vocab) + 1)
update = Updater(model, torch.optim.Adam(model.parameters(), lr=0.01))
criterion = nn.CrossEntropyLoss()

for epoch in range(8):
    model.train()
    seen, total, n_updates = 0, 0.0, 0
    for x, y in train:
        loss = criterion(model(x), y)
        n_updates += update(loss)
        total += loss.item() * len(y)
        seen += len(y)
    print(f"epoch {epoch} loss {total / seen:.4f} ({n_updates} updates)")

model.eval()
hits = 0
with torch.no_grad():
    for x, y in test:
        hits += (model(x).argmax(1) == y).sum().item()
print("test accuracy", hits / len(test.dataset))
