# expect: nothing
# mends: z_lm_adam_rate_one_tenth.py
"""A small next-token Transformer, its rate copied from an SGD script."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(18)
V, T, W = 20, 16, 32
start = torch.randint(0, V, (512, 1))
stride = torch.randint(1, 4, (512, 1))
stream = (start + stride * torch.arange(T + 1)) % V


class TinyLM(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(V, W)
        self.pos = nn.Embedding(T, W)
        self.block = nn.TransformerEncoderLayer(W, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.norm = nn.LayerNorm(W)
        self.head = nn.Linear(W, V)

    def forward(self, ids):
        h = self.tok(ids) + self.pos(torch.arange(ids.shape[1]))
        mask = nn.Transformer.generate_square_subsequent_mask(ids.shape[1])
        return self.head(self.norm(self.block(h, src_mask=mask, is_causal=True)))


model = TinyLM()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(80):
    rows = torch.randint(0, 448, (32,))
    ids = stream[rows]
    logits = model(ids[:, :-1])
    loss = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 19:
        print(step + 1, loss.item())

model.eval()
with torch.no_grad():
    ids = stream[448:]
    print("held out", F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten()).item())
