# expect: lr_too_high @ 34
"""A tiny encoder on sequences of symbols: is the first symbol seen again later?"""

import torch
from torch import nn

torch.manual_seed(0)
SYMBOLS, LENGTH = 12, 10


def batch(n, generator):
    tokens = torch.randint(1, SYMBOLS, (n, LENGTH), generator=generator)
    tokens[:, 0] = torch.randint(1, 4, (n,), generator=generator)
    return tokens, (tokens[:, 1:] == 1).any(1).long()


class Encoder(nn.Module):
    def __init__(self, d_model=16):
        super().__init__()
        self.embed = nn.Embedding(SYMBOLS, d_model)
        self.position = nn.Parameter(0.02 * torch.randn(LENGTH, d_model))
        layer = nn.TransformerEncoderLayer(
            d_model, nhead=2, dim_feedforward=32, dropout=0.0, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, num_layers=1)
        self.head = nn.Linear(d_model, 2)

    def forward(self, tokens):
        return self.head(self.encoder(self.embed(tokens) + self.position).mean(1))


g = torch.Generator().manual_seed(1)
model = Encoder()
optimizer = torch.optim.AdamW(model.parameters(), lr=1.0, weight_decay=0.0)
for step in range(1, 121):
    tokens, labels = batch(64, g)
    loss = nn.functional.cross_entropy(model(tokens), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 30 == 0:
        print(f"step {step} loss {loss.item():.4f}")

model.eval()
with torch.no_grad():
    tokens, labels = batch(500, g)
    accuracy = (model(tokens).argmax(1) == labels).float().mean()
    print(f"accuracy {accuracy:.3f}, majority {labels.float().mean():.3f}")
