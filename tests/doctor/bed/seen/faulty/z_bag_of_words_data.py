# expect: detached_graph @ 36
"""Text classification with an embedding bag made by hand."""

import random

import torch
from torch import nn

random.seed(4)
torch.manual_seed(4)
good = ["great", "lovely", "superb", "charming", "fun", "bright", "warm"]
bad = ["dull", "awful", "boring", "weak", "cold", "broken", "mess"]
rest = ["the", "a", "film", "plot", "actor", "scene", "was", "and", "with", "of"]
vocab = {w: i + 1 for i, w in enumerate(good + bad + rest)}


def review():
    label = random.randint(0, 1)
    words = random.choices(good if label else bad, k=2) + random.choices(rest, k=6)
    random.shuffle(words)
    return [vocab[w] for w in words], label


corpus = [review() for _ in range(700)]
ids = torch.tensor([r[0] for r in corpus])
labels = torch.tensor([r[1] for r in corpus])


class SentimentNet(nn.Module):
    def __init__(self, n_words, dim=16):
        super().__init__()
        self.embedding = nn.Embedding(n_words, dim)
        self.fc = nn.Linear(dim, 2)

    def forward(self, ids):
        vectors = self.embedding(ids).data
        return self.fc(vectors.mean(dim=1))


model = SentimentNet(len(vocab) + 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
loss_function = nn.CrossEntropyLoss()

for epoch in range(6):
    order = torch.randperm(560)
    epoch_loss = 0.0
    for start in range(0, 560, 40):
        rows = order[start : start + 40]
        optimizer.zero_grad()
        loss = loss_function(model(ids[rows]), labels[rows])
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()
    with torch.no_grad():
        valid = (model(ids[560:]).argmax(1) == labels[560:]).float().mean().item()
    print(f"{epoch=} {epoch_loss / 14:.4f} {valid=:.3f}")
