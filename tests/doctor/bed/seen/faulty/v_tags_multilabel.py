# expect: sigmoid_before_bce_with_logits @ 53
# allowed: sigmoid_before_bce_with_logits @ 42
# allowed: sigmoid_before_bce_with_logits @ 48
"""Multi-label tagging of posts with an EmbeddingBag and offsets, loss chosen from a registry."""
import torch
from torch import nn
from torch.utils.data import DataLoader

LOSSES = {"bce": lambda: nn.BCEWithLogitsLoss(), "soft_margin": lambda: nn.MultiLabelSoftMarginLoss()}
N_TAGS, VOCAB = 5, 150


def build_posts(n, seed):
    g = torch.Generator().manual_seed(seed)
    posts = []
    for _ in range(n):
        tags = torch.rand(N_TAGS, generator=g) < 0.4
        words = torch.randint(50, VOCAB, (8,), generator=g)
        for t in tags.nonzero().flatten().tolist():
            words = torch.cat([words, torch.randint(10 * t, 10 * t + 10, (2,), generator=g)])
        posts.append((words, tags.float()))
    return posts


def pack(items):
    words = [w for w, _ in items]
    offsets = torch.tensor([0] + [len(w) for w in words[:-1]]).cumsum(0)
    return torch.cat(words), offsets, torch.stack([t for _, t in items])


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.bag = nn.EmbeddingBag(VOCAB, 32, mode="sum")
        self.fc1 = nn.Linear(32, 48)
        self.fc2 = nn.Linear(48, N_TAGS)

    def logits(self, words, offsets):
        return self.fc2(torch.relu(self.fc1(self.bag(words, offsets))))

    def forward(self, words, offsets):
        return torch.sigmoid(self.logits(words, offsets))


torch.manual_seed(13)
train = DataLoader(build_posts(900, 1), batch_size=45, shuffle=True, collate_fn=pack)
test = DataLoader(build_posts(300, 2), batch_size=300, collate_fn=pack)
model, criterion = Tagger(), LOSSES["bce"]()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(12):
    running = 0.0
    for words, offsets, tags in train:
        loss = criterion(model(words, offsets), tags)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item()
    if epoch % 4 == 3:
        print(f"epoch {epoch} loss {running / len(train):.4f}")
model.eval()
with torch.no_grad():
    for words, offsets, tags in test:
        pred = (model(words, offsets) > 0.5).float()
        exact = (pred == tags).all(1).float().mean().item()
        print(f"exact match {exact:.3f} hamming {(pred != tags).float().mean().item():.4f}")
