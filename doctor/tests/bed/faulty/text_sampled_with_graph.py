# expect: missing_no_grad @ 31
# mend: 27 + @torch.no_grad()
"""A small character model that writes a sample after each epoch, keeping a graph for every letter."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
text = "to be or not to be that is the question whether tis nobler in the mind to suffer " * 6
chars = sorted(set(text))
data = torch.tensor([chars.index(c) for c in text])
block, V = 8, len(chars)


class MLPLanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(V, 16)
        self.mlp = nn.Sequential(nn.Linear(block * 16, 64), nn.Tanh(), nn.Linear(64, V))

    def forward(self, idx, targets=None):
        logits = self.mlp(self.wte(idx).flatten(1))
        loss = None if targets is None else F.cross_entropy(logits, targets)
        return logits, loss


def generate(model, idx, n):
    model.eval()
    for _ in range(n):
        logits, _ = model(idx[:, -block:])
        probs = F.softmax(logits, dim=-1)
        idx = torch.cat((idx, torch.multinomial(probs, 1)), dim=1)
    model.train()
    return "".join(chars[i] for i in idx[0, block:].tolist())


model = MLPLanguageModel()
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
for epoch in range(3):
    for _ in range(40):
        ix = torch.randint(len(data) - block, (32,))
        x = torch.stack([data[i : i + block] for i in ix])
        _, loss = model(x, data[ix + block])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.3f} sample: {generate(model, data[None, :block], 30)}")
