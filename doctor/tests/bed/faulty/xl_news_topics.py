# expect: non_finite_loss @ 71
# allowed: non_finite_loss @ 84
# mend: 71 →         mean = total / known.sum(1).clamp(min=1)
"""Topic classifier: bag of word vectors, averaged over the known words of a headline."""
import random
from collections import Counter

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader

random.seed(5)
torch.manual_seed(5)

TOPICS = {
    "sport": "match goal team coach league player season striker final cup".split(),
    "money": "bank market shares profit rates trader bond fund euro stock".split(),
    "sky": "rain storm wind cloud sunny flood frost heat snow forecast".split(),
}
COMMON = "the a in on after with new for more says as over".split()
LABELS = list(TOPICS)


def rare_name():
    return "".join(random.choices("bcdfgklmnprst", k=6))


def headline():
    topic = random.choice(LABELS)
    if random.random() < 0.015:  # portrait: nothing but a name
        return [rare_name(), rare_name()], LABELS.index(topic)
    words = []
    for _ in range(random.randint(6, 12)):
        u = random.random()
        if u < 0.3:
            words.append(random.choice(TOPICS[topic]))
        elif u < 0.7:
            words.append(random.choice(COMMON))
        else:
            words.append(rare_name())
    return words, LABELS.index(topic)


train_raw = [headline() for _ in range(2000)]
test_raw = [headline() for _ in range(500)]

counts = Counter(w for ws, _ in train_raw for w in ws)
vocab = {w: i + 1 for i, (w, c) in enumerate(counts.most_common()) if c >= 3}


def collate(batch):
    ids = [[vocab[w] for w in ws if w in vocab] for ws, _ in batch]
    width = max(1, max(len(s) for s in ids))
    x = torch.zeros(len(batch), width, dtype=torch.long)
    for row, s in enumerate(ids):
        x[row, : len(s)] = torch.tensor(s, dtype=torch.long)
    return x, torch.tensor([y for _, y in batch])


class AveragedWords(nn.Module):
    def __init__(self, n_words, dim=24, n_out=3):
        super().__init__()
        self.table = nn.Embedding(n_words + 1, dim, padding_idx=0)
        self.hidden = nn.Linear(dim, 32)
        self.out = nn.Linear(32, n_out)

    def forward(self, x):
        known = (x != 0).float().unsqueeze(-1)
        total = (self.table(x) * known).sum(1)
        mean = total / known.sum(1)
        return self.out(torch.tanh(self.hidden(mean)))


train = DataLoader(train_raw, batch_size=50, shuffle=True, collate_fn=collate)
test = DataLoader(test_raw, batch_size=125, collate_fn=collate)
model = AveragedWords(len(vocab))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)

for epoch in range(6):
    model.train()
    running = 0.0
    for x, y in train:
        loss = F.cross_entropy(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item()
    print(f"epoch {epoch}  loss {running / len(train):.4f}")

model.eval()
hits = 0
with torch.no_grad():
    for x, y in test:
        hits += (model(x).argmax(1) == y).sum().item()
print(f"test accuracy {hits / len(test_raw):.3f}")
