# expect: nothing
"""Sentiment of short product reviews in a DataFrame: bag-of-embeddings classifier."""
import random
import pandas as pd
import torch
import torch.nn as nn
from torch.utils.data import DataLoader

random.seed(4)
torch.manual_seed(4)

POS = "great love perfect nice happy solid fast".split()
NEG = "bad broken awful slow refund poor noisy".split()
NEU = [f"w{i}" for i in range(400)]


def fake_review(label):
    words = random.choices(NEU, k=9) + random.choices(POS if label else NEG, k=1)
    if random.random() < 0.25:
        label = 1 - label
    random.shuffle(words)
    return " ".join(words), label


df = pd.DataFrame([fake_review(i % 2) for i in range(600)], columns=["text", "label"])
df = df.sample(frac=1, random_state=0).reset_index(drop=True)

train_df = df.iloc[:-150]
test_df = df.iloc[-150:]
vocab = {"<unk>": 0}
for text in train_df.text:
    for w in text.split():
        vocab.setdefault(w, len(vocab))


def collate(batch):
    ids, offsets = [], [0]
    for text, _ in batch:
        ids += [vocab.get(w, 0) for w in text.split()]
        offsets.append(len(ids))
    return torch.tensor(ids), torch.tensor(offsets[:-1]), torch.tensor([l for _, l in batch])


make_loader = lambda d, sh: DataLoader(list(zip(d.text, d.label)), batch_size=32, shuffle=sh, collate_fn=collate)
train_loader, test_loader = make_loader(train_df, True), make_loader(test_df, False)


class BagModel(nn.Module):
    def __init__(self, n, dim=32):
        super().__init__()
        self.emb = nn.EmbeddingBag(n, dim, mode="mean")
        self.fc = nn.Linear(dim, 2)

    def forward(self, ids, offsets):
        return self.fc(self.emb(ids, offsets))


model = BagModel(len(vocab))
opt = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(20):
    model.train()
    tot = 0.0
    for ids, off, lab in train_loader:
        loss = nn.functional.cross_entropy(model(ids, off), lab)
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} loss {tot / len(train_loader):.3f}")

model.eval()
with torch.no_grad():
    hits = sum((model(i, o).argmax(1) == l).sum().item() for i, o, l in test_loader)
print(f"test accuracy {hits / len(test_df):.3f}")
