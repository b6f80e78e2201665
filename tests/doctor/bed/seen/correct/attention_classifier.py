# expect: nothing
# looks suspicious: the last operations before cross_entropy contain a softmax: it weighs the positions
# (attention pooling); the logits that enter the loss are a linear layer's.
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
gen = torch.Generator().manual_seed(1)


class AttentionPool(nn.Module):
    def __init__(self, vocab, dim, classes):
        super().__init__()
        self.emb = nn.Embedding(vocab, dim)
        self.score = nn.Linear(dim, 1)
        self.value = nn.Linear(dim, classes)

    def forward(self, tokens):
        h = self.emb(tokens)
        weights = self.score(h).squeeze(-1).softmax(dim=1)
        return (weights.unsqueeze(-1) * self.value(h)).sum(1)


def batch(n):
    tokens = torch.randint(4, 30, (n, 12), generator=gen)
    labels = torch.randint(0, 4, (n,), generator=gen)
    tokens[torch.arange(n), torch.randint(12, (n,), generator=gen)] = labels
    return tokens, labels


model = AttentionPool(30, 16, 4)
opt = torch.optim.Adam(model.parameters(), lr=0.02)
for step in range(150):
    tokens, labels = batch(64)
    opt.zero_grad()
    loss = F.cross_entropy(model(tokens), labels)
    loss.backward()
    opt.step()
    if step % 30 == 0:
        print(step, f"{loss.item():.4f}")
model.eval()
with torch.no_grad():
    tokens, labels = batch(400)
    print("accuracy", (model(tokens).argmax(-1) == labels).float().mean().item())
