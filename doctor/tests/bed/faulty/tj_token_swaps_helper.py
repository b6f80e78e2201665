# missed: augment_on_test @ 46
# mend: 46 → test_notes = Notes(test_ids, test_topics, noisy_words=False, seed=2)
"""Topics of made-up notes: a bag of embeddings, with words left out and swapped by the dataset."""
import random

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

WORDS, TOPICS, LENGTH = 60, 3, 12


class Notes(Dataset):
    def __init__(self, ids, topics, noisy_words=True, rate=0.2, seed=0):
        self.ids, self.topics = ids, topics
        self.noisy_words, self.rate = noisy_words, rate
        self.rng = random.Random(seed)

    def __len__(self):
        return len(self.ids)

    def _shake(self, ids):
        kept = [0 if self.rng.random() < self.rate else i for i in ids]
        a, b = self.rng.randrange(len(kept)), self.rng.randrange(len(kept))
        kept[a], kept[b] = kept[b], kept[a]
        return kept

    def __getitem__(self, n):
        ids, topic = self.ids[n], self.topics[n]
        if not self.noisy_words:
            return torch.tensor(ids), topic
        return torch.tensor(self._shake(ids)), topic


def write(n, rng):
    topics = [rng.randrange(TOPICS) for _ in range(n)]
    ids = [[rng.randrange(1 + 15 * t, 31 + 15 * t) for _ in range(LENGTH)] for t in topics]
    return ids, topics


rng = random.Random(3)
torch.manual_seed(3)
train_ids, train_topics = write(600, rng)
test_ids, test_topics = write(200, rng)
train_notes = Notes(train_ids, train_topics, seed=1)
test_notes = Notes(test_ids, test_topics, seed=2)
train_loader = DataLoader(train_notes, batch_size=30, shuffle=True)
test_loader = DataLoader(test_notes, batch_size=50)
net = nn.Sequential(nn.EmbeddingBag(WORDS + 20, 16), nn.Linear(16, TOPICS))
optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
for epoch in range(6):
    net.train()
    for ids, topics in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(ids), topics)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch + 1} loss {loss.item():.3f}")
net.eval()
with torch.no_grad():
    right = sum((net(ids).argmax(1) == topics).sum().item() for ids, topics in test_loader)
print(f"test accuracy {right / len(test_notes):.3f}")
