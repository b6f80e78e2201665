# expect: nothing
"""Bag-of-topics toy text classification with embeddings and a nn.TransformerEncoder."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

VOCAB, LEN, CLASSES = 60, 12, 4


class ToyText(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.y = torch.randint(0, CLASSES, (n,), generator=g)
        noise = torch.randint(0, VOCAB, (n, LEN), generator=g)
        topic = self.y[:, None] * 15 + torch.randint(0, 15, (n, LEN), generator=g)
        self.x = torch.where(torch.rand(n, LEN, generator=g) < 0.45, topic, noise)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class Classifier(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, d)
        self.pos = nn.Parameter(torch.zeros(LEN, d))
        layer = nn.TransformerEncoderLayer(d, 4, 64, dropout=0.1, batch_first=True)
        self.enc = nn.TransformerEncoder(layer, 1)
        self.head = nn.Linear(d, CLASSES)

    def forward(self, tok):
        return self.head(self.enc(self.emb(tok) + self.pos).mean(1))


torch.manual_seed(2)
model = Classifier()
loss_fn = nn.CrossEntropyLoss()
opt = torch.optim.AdamW(model.parameters(), lr=2e-3)
train_dl = DataLoader(ToyText(800, 0), batch_size=64, shuffle=True)
test_dl = DataLoader(ToyText(200, 1), batch_size=100)
for epoch in range(6):
    model.train()
    seen = 0.0
    for tok, lab in train_dl:
        opt.zero_grad()
        loss = loss_fn(model(tok), lab)
        loss.backward()
        opt.step()
        seen += loss.item() * len(lab)
    model.eval()
    with torch.no_grad():
        hits = sum((model(t).argmax(-1) == l).sum().item() for t, l in test_dl)
    print(f"{epoch} loss {seen / 800:.4f} acc {hits / 200:.3f}")
