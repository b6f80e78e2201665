# expect: metric_wrong_axis @ 29
"""Tags for every position: the figure takes the argmax over positions; there are as many as tags."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
WORDS, TAGS, LENGTH = 30, 6, 6


def corpus(n):
    words = torch.randint(0, WORDS, (n, LENGTH))
    return TensorDataset(words, (words + words.roll(1, dims=1)) % 2 * 3 + words % 3)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(WORDS, 16)
        self.rnn = nn.GRU(16, 24, batch_first=True, bidirectional=True)
        self.to_tags = nn.Linear(48, TAGS)

    def forward(self, words):
        return self.to_tags(self.rnn(self.embed(words))[0])


def token_accuracy(logits, tags):
    return (logits.argmax(1) == tags).float().mean().item()


train_loader = DataLoader(corpus(800), batch_size=40, shuffle=True)
valid_loader = DataLoader(corpus(200), batch_size=200)
tagger = Tagger()
optimizer = torch.optim.Adam(tagger.parameters(), lr=1e-2)
for epoch in range(4):
    tagger.train()
    for words, tags in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(tagger(words).flatten(0, 1), tags.flatten())
        loss.backward()
        optimizer.step()
    tagger.eval()
    with torch.no_grad():
        words, tags = next(iter(valid_loader))
        logits = tagger(words)
        print(f"{epoch}: loss {loss.item():.4f}, token accuracy {token_accuracy(logits, tags):.3f}")
