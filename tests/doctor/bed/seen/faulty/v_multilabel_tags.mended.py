# expect: nothing
"""Multi-label tagging of bags of words with an embedding bag and a wrapper head."""
import torch
from torch import nn
from torch.utils.data import DataLoader

torch.manual_seed(13)
VOCAB, TAGS = 60, 6
PROTO = torch.rand(TAGS, VOCAB) ** 3


def make_docs(n):
    docs = []
    for _ in range(n):
        tags = (torch.rand(TAGS) < 0.35).float()
        if tags.sum() == 0:
            tags[torch.randint(0, TAGS, (1,))] = 1.0
        words = torch.multinomial(tags @ PROTO, int(torch.randint(15, 30, (1,))), replacement=True)
        docs.append((words, tags))
    return docs


def collate(batch):
    words = torch.cat([w for w, _ in batch])
    offsets = torch.tensor([0] + [len(w) for w, _ in batch][:-1]).cumsum(0)
    return words, offsets, torch.stack([t for _, t in batch])


class Probabilities(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, h):
        return self.inner(h)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.bag = nn.EmbeddingBag(VOCAB, 24, mode="mean")
        self.head = Probabilities(nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, TAGS)))

    def forward(self, words, offsets):
        return self.head(self.bag(words, offsets))


loader = DataLoader(make_docs(600), batch_size=32, shuffle=True, collate_fn=collate)
test_loader = DataLoader(make_docs(200), batch_size=100, collate_fn=collate)
model = Tagger()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.BCEWithLogitsLoss()

for epoch in range(12):
    model.train()
    s = 0.0
    for words, offsets, tags in loader:
        opt.zero_grad(set_to_none=True)
        loss = criterion(model(words, offsets), tags)
        loss.backward()
        opt.step()
        s += loss.item()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} bce {s / len(loader):.4f}")

model.eval()
tp = fp = fn = 0
with torch.no_grad():
    for words, offsets, tags in test_loader:
        pred = (model(words, offsets) > 0).float()
        tp += (pred * tags).sum().item()
        fp += (pred * (1 - tags)).sum().item()
        fn += ((1 - pred) * tags).sum().item()
print(f"micro f1 {2 * tp / (2 * tp + fp + fn):.3f}")
