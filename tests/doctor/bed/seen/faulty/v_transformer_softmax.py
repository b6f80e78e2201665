# expect: softmax_before_cross_entropy @ 38
# allowed: softmax_before_cross_entropy @ 51
# allowed: softmax_before_cross_entropy @ 57
"""A small TransformerEncoder that finds which token dominates a sequence."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(2)
VOCAB, SEQ, CLASSES = 20, 12, 5


class DominantToken(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.y = torch.randint(0, CLASSES, (n,), generator=g)
        self.x = torch.randint(0, VOCAB, (n, SEQ), generator=g)
        mask = torch.rand(n, SEQ, generator=g) < 0.35
        self.x = torch.where(mask, self.y[:, None].expand(-1, SEQ), self.x)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class Classifier(nn.Module):
    def __init__(self, d=24):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, d)
        self.pos = nn.Parameter(torch.randn(SEQ, d) * 0.02)
        layer = nn.TransformerEncoderLayer(d, 2, 48, dropout=0.1, batch_first=True)
        self.enc = nn.TransformerEncoder(layer, 1)
        self.head = nn.Sequential(
            nn.LayerNorm(d),
            nn.Linear(d, CLASSES),
            nn.Softmax(dim=-1),
        )

    def forward(self, x):
        h = self.enc(self.emb(x) + self.pos)
        return self.head(h.mean(1))


def main():
    train = DataLoader(DominantToken(900, 0), batch_size=32, shuffle=True)
    test = DataLoader(DominantToken(300, 1), batch_size=100)
    model = Classifier()
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(6):
        model.train()
        tot = 0.0
        for xb, yb in train:
            opt.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            opt.step()
            tot += loss.item()
        model.eval()
        hit = 0
        with torch.no_grad():
            for xb, yb in test:
                hit += (model(xb).argmax(-1) == yb).sum().item()
        print(f"epoch {epoch} loss {tot / len(train):.3f} acc {hit / 300:.3f}")


if __name__ == "__main__":
    main()
