# expect: test_in_train @ 61
# allowed: test_in_train @ 63
"""Route support tickets to a desk. Bag of words with a small embedding model."""
import random

import torch
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, Subset, SubsetRandomSampler

random.seed(2)
torch.manual_seed(2)

DESKS = {
    "hardware": "laptop screen keyboard dock fan charger".split(),
    "access": "password login token account locked vpn".split(),
    "billing": "invoice refund charge card receipt plan".split(),
    "network": "wifi router slow drop cable dns".split(),
}
FILLER = [a + b for a in "ba co du fe gi lo mu ne pi ra".split() for b in "ban cor dim fel gat hun".split()]


class Tickets(Dataset):
    def __init__(self, n=700):
        desks = list(DESKS)
        self.texts, self.labels = [], []
        for i in range(n):
            label = i % len(desks)
            words = random.choices(FILLER, k=random.randint(8, 14))
            words += random.choices(DESKS[desks[label]], k=1)
            if random.random() < 0.45:
                words += random.choices(DESKS[random.choice(desks)], k=2)
            random.shuffle(words)
            self.texts.append(words)
            self.labels.append(label)

    def __len__(self):
        return len(self.texts)

    def __getitem__(self, i):
        return self.texts[i], self.labels[i]


data = Tickets()
perm = torch.randperm(len(data)).tolist()
train_idx, test_idx = perm[:500], perm[500:]
vocab = {"<unk>": 0}
for i in train_idx:
    for w in data.texts[i]:
        vocab.setdefault(w, len(vocab))


def collate(batch):
    flat, offsets = [], []
    for words, _ in batch:
        offsets.append(len(flat))
        flat += [vocab.get(w, 0) for w in words]
    labels = torch.tensor([label for _, label in batch])
    return torch.tensor(flat), torch.tensor(offsets), labels


sampler = RandomSampler(data)
batches = BatchSampler(sampler, batch_size=25, drop_last=False)
train_loader = DataLoader(data, batch_sampler=batches, collate_fn=collate)
test_loader = DataLoader(Subset(data, test_idx), batch_size=100, collate_fn=collate)


class Router(nn.Module):
    def __init__(self, n_words, dim=32):
        super().__init__()
        self.bag = nn.EmbeddingBag(n_words, dim, mode="mean")
        self.mlp = nn.Sequential(nn.Linear(dim, 64), nn.ReLU(), nn.Linear(64, len(DESKS)))

    def forward(self, flat, offsets):
        return self.mlp(self.bag(flat, offsets))


model = Router(len(vocab))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(20):
    model.train()
    losses = []
    for flat, offsets, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(flat, offsets), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: loss {sum(losses) / len(losses):.3f}")

model.eval()
right = 0
with torch.no_grad():
    for flat, offsets, labels in test_loader:
        right += (model(flat, offsets).argmax(1) == labels).sum().item()
print(f"held-out accuracy: {right / len(test_idx):.3f}")
