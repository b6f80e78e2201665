# expect: nothing
# looks suspicious: weight_decay=1.0: AdamW at 0.01 on modular addition, where strong decay is what makes
# the net generalise; loss and accuracy show that it does not hinder.
import torch
from torch import nn

torch.manual_seed(0)
p = 23
a, b = torch.meshgrid(torch.arange(p), torch.arange(p), indexing="ij")
pairs = torch.stack([a.flatten(), b.flatten()], dim=1)
answers = pairs.sum(dim=1) % p
order = torch.randperm(p * p)
cut = int(0.8 * p * p)
train, test = order[:cut], order[cut:]


class ModularAdder(nn.Module):
    def __init__(self, dim=32, width=128):
        super().__init__()
        self.embedding = nn.Embedding(p, dim)
        self.hidden = nn.Linear(dim, width, bias=False)
        self.unembedding = nn.Linear(width, p, bias=False)

    def forward(self, tokens):
        return self.unembedding(torch.relu(self.hidden(self.embedding(tokens).sum(1))))


model = ModularAdder()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1.0, betas=(0.9, 0.98))
for step in range(1, 301):
    model.train()
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(pairs[train]), answers[train])
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        model.eval()
        with torch.no_grad():
            logits = model(pairs[test])
            accuracy = (logits.argmax(1) == answers[test]).float().mean()
            test_loss = nn.functional.cross_entropy(logits, answers[test])
        print(f"step {step} train {loss.item():.4f} test {test_loss:.4f} accuracy {accuracy:.3f}")
