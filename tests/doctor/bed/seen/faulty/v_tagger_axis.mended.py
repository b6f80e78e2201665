# expect: nothing
"""Part-of-speech-like tagging with a bidirectional GRU; emissions come as (batch, tags, time)."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

N_TAGS, SENT_LEN, VOCAB = 8, 8, 120


def corpus(n):
    words = torch.randint(0, VOCAB, (n, SENT_LEN))
    base = words % N_TAGS
    previous = torch.cat([torch.zeros(n, 1, dtype=torch.long), base[:, :-1]], 1)
    tags = torch.where(previous == 3, (base + 1) % N_TAGS, base)
    return TensorDataset(words, tags)


class BiTagger(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, dim)
        self.rnn = nn.GRU(dim, dim, bidirectional=True, batch_first=True)
        self.proj = nn.Linear(2 * dim, N_TAGS)

    def forward(self, words):
        states, _ = self.rnn(self.emb(words))
        return self.proj(states).transpose(1, 2)


def token_accuracy(emissions, tags):
    predicted = emissions.argmax(dim=1)
    return (predicted == tags).float().mean().item()


def fit(model, loader, opt):
    model.train()
    total = 0.0
    for words, tags in loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(words), tags)
        loss.backward()
        opt.step()
        total += loss.item()
    return total / len(loader)


def assess(model, loader):
    model.eval()
    with torch.inference_mode():
        scores = [token_accuracy(model(words), tags) for words, tags in loader]
    return sum(scores) / len(scores)


torch.manual_seed(0)
train_loader = DataLoader(corpus(800), batch_size=40, shuffle=True)
test_loader = DataLoader(corpus(200), batch_size=50)
model = BiTagger()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(8):
    loss = fit(model, train_loader, opt)
    if epoch % 2:
        print(f"epoch {epoch} loss {loss:.4f} token accuracy {assess(model, test_loader):.3f}")
