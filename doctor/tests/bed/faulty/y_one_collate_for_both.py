# expect: augment_on_test @ 29
# mend: 19 → def collate(batch, dropout=0.0):
# mend: 21 →     texts = [[UNK if random.random() < dropout else w for w in t] for t in texts]
# mend: 28 → train_iter = DataLoader(data, 40, sampler=part(order[300:]), collate_fn=lambda b: collate(b, 0.3))
"""Tokens are dropped at random in the collate function, which the samplers of both parts share."""

import random

import torch
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.data import SubsetRandomSampler as part

random.seed(0)
torch.manual_seed(0)
VOCAB, UNK = 60, 0
labels = [random.randint(0, 1) for _ in range(1100)]
data = [([random.choice(range(2, 40) if n else range(18, 60)) for _ in range(9)], n) for n in labels]
def collate(batch):
    texts, labels = zip(*batch, strict=True)
    texts = [[UNK if random.random() < 0.3 else w for w in t] for t in texts]  # word dropout
    return torch.tensor(texts), torch.tensor(labels)


order = list(range(1100))
random.shuffle(order)

# one list of sentences, two parts
train_iter = DataLoader(data, 40, sampler=part(order[300:]), collate_fn=collate)
test_iter = DataLoader(data, 100, sampler=part(order[:300]), collate_fn=collate)

model = nn.Sequential(nn.EmbeddingBag(VOCAB, 16, mode="mean"), nn.Linear(16, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
criterion = nn.CrossEntropyLoss()
for epoch in range(1, 6):
    model.train()
    for tokens, labels in train_iter:
        optimizer.zero_grad()
        loss = criterion(model(tokens), labels)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        right = sum((model(tokens).argmax(1) == labels).sum().item() for tokens, labels in test_iter)
    print(f"| epoch {epoch} | loss {loss.item():.3f} | test accuracy {right / 300:.3f}")
