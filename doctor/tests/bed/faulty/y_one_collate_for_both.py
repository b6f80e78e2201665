# expect: augment_on_test @ 39
# mend: 29 → def collate(batch, dropout=0.0):
# mend: 31 →     texts = [[UNK if random.random() < dropout else w for w in t] for t in texts]
# mend: 38 → train_iter = DataLoader(train_data, batch_size=40, shuffle=True, collate_fn=lambda b: collate(b, 0.3))
"""Tokens are dropped at random in the collate function, which both loaders share."""

import random

import torch
from torch import nn
from torch.utils.data import DataLoader

random.seed(0)
torch.manual_seed(0)
VOCAB, PAD, UNK = 60, 0, 1


def sentence():
    label = random.randint(0, 1)
    length = random.randint(6, 14)
    favourites = range(2, 22) if label else range(18, 40)
    words = [
        random.choice(favourites) if random.random() < 0.4 else random.randint(2, VOCAB - 1)
        for _ in range(length)
    ]
    return words, label


def collate(batch):
    texts, labels = zip(*batch, strict=True)
    texts = [[UNK if random.random() < 0.3 else w for w in t] for t in texts]  # word dropout
    tokens = nn.utils.rnn.pad_sequence([torch.tensor(t) for t in texts], batch_first=True, padding_value=PAD)
    return tokens, torch.tensor(labels)


train_data = [sentence() for _ in range(800)]
test_data = [sentence() for _ in range(300)]
train_iter = DataLoader(train_data, batch_size=40, shuffle=True, collate_fn=collate)
test_iter = DataLoader(test_data, batch_size=100, collate_fn=collate)


class BagOfWords(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.EmbeddingBag(VOCAB, 16, mode="mean", padding_idx=PAD)
        self.fc = nn.Linear(16, 2)

    def forward(self, tokens):
        return self.fc(self.embedding(tokens))


model = BagOfWords()
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
