# expect: nothing
"""Transformer encoder classifying short token sequences into four topics."""
import math

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


class TopicCorpus(Dataset):
    """Documents mix words of their own topic with background words; id 0 is padding."""

    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.docs, self.labels = [], torch.randint(0, 4, (n,), generator=g)
        for k in self.labels.tolist():
            size = int(torch.randint(6, 14, (1,), generator=g))
            own = torch.randint(1 + 10 * k, 11 + 10 * k, (size,), generator=g)
            other = torch.randint(1, 61, (size,), generator=g)
            self.docs.append(torch.where(torch.rand(size, generator=g) < 0.55, own, other))

    def __len__(self):
        return len(self.docs)

    def __getitem__(self, i):
        return self.docs[i], self.labels[i]


def collate(items):
    docs, labels = zip(*items)
    return nn.utils.rnn.pad_sequence(docs, batch_first=True), torch.stack(labels)


class TopicTransformer(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.embed = nn.Embedding(61, d, padding_idx=0)
        layer = nn.TransformerEncoderLayer(d, 4, 64, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.classifier = nn.Sequential(
            nn.Linear(d, d),
            nn.GELU(),
            nn.Linear(d, 4),
        )
        self.scale = math.sqrt(d)

    def forward(self, ids):
        pad = ids.eq(0)
        h = self.encoder(self.embed(ids) * self.scale, src_key_padding_mask=pad)
        h = h.masked_fill(pad.unsqueeze(-1), 0).sum(1) / (~pad).sum(1, keepdim=True)
        return self.classifier(h)


torch.manual_seed(0)
train = DataLoader(TopicCorpus(800, 1), batch_size=40, shuffle=True, collate_fn=collate)
test = DataLoader(TopicCorpus(300, 2), batch_size=100, collate_fn=collate)
model = TopicTransformer()
criterion = nn.CrossEntropyLoss(label_smoothing=0.0)
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
for epoch in range(6):
    model.train()
    total = 0.0
    for ids, y in train:
        optimizer.zero_grad()
        loss = criterion(model(ids), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(f"epoch {epoch} loss {total / len(train):.4f}")
model.eval()
with torch.no_grad():
    acc = sum((model(ids).argmax(1) == y).sum().item() for ids, y in test) / len(test.dataset)
print(f"test accuracy {acc:.3f}")
