# expect: missing_zero_grad @ 57
# allowed: missing_zero_grad @ 55
"""Sentiment on synthetic reviews: SGD for the embedding table, Adam for the rest."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(11)
VOCAB, LENGTH = 80, 12


def make_reviews(n=1200):
    tokens = torch.randint(2, VOCAB, (n, LENGTH))
    polarity = torch.randn(VOCAB, generator=torch.Generator().manual_seed(5))
    label = (polarity[tokens].sum(1) > 0).long()
    return TensorDataset(tokens, label)


class BagOfVectors(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(VOCAB, 24)
        self.mlp = nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 2))

    def forward(self, ids):
        return self.mlp(self.table(ids).mean(1))


def accuracy(net, loader):
    net.eval()
    hits = total = 0
    with torch.no_grad():
        for ids, y in loader:
            hits += (net(ids).argmax(1) == y).sum().item()
            total += len(y)
    return hits / total


reviews = make_reviews()
train_set, test_set = random_split(reviews, [900, 300])
train_loader = DataLoader(train_set, batch_size=50, shuffle=True)
test_loader = DataLoader(test_set, batch_size=100)

net = BagOfVectors()
opt_table = torch.optim.SGD(net.table.parameters(), lr=2.0)
opt_rest = torch.optim.Adam(net.mlp.parameters(), lr=3e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(12):
    net.train()
    running = 0.0
    for ids, y in train_loader:
        opt_table.zero_grad()
        loss = criterion(net(ids), y)
        loss.backward()
        opt_table.step()
        opt_rest.step()
        running += loss.item() * len(y)
    if epoch % 3 == 2:
        print(f"epoch {epoch}  loss {running / 900:.4f}  test acc {accuracy(net, test_loader):.3f}")
