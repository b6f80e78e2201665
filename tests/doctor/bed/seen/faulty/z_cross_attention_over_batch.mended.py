# expect: nothing
# mends: z_cross_attention_over_batch.py
"""Queries attend to a memory; the softmax runs over the first axis."""

import torch
from torch import nn

torch.manual_seed(1)
N, M, D = 480, 7, 10
memory = torch.randn(N, M, D)
pick = torch.randint(0, M, (N,))
keys = torch.eye(M).repeat(N, 1, 1)
query = keys[torch.arange(N), pick] + 0.1 * torch.randn(N, M)
target = (memory[torch.arange(N), pick, 0] > 0).long()


class Reader(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(M, width), nn.Linear(M, width), nn.Linear(D, width)
        self.out = nn.Linear(width, 2)
        self.scale = width**-0.5

    def forward(self, query, keys, memory):
        q = self.q(query).unsqueeze(1)
        k, v = self.k(keys), self.v(memory)
        scores = torch.bmm(q, k.transpose(1, 2)) * self.scale
        attention = scores.softmax(dim=-1)
        return self.out(torch.bmm(attention, v).squeeze(1))


model = Reader()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for _epoch in range(10):
    model.train()
    for rows in torch.randperm(400).split(40):
        loss = nn.functional.cross_entropy(model(query[rows], keys[rows], memory[rows]), target[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
model.eval()
with torch.inference_mode():
    out = model(query[400:], keys[400:], memory[400:])
print("loss", loss.item(), "accuracy", (out.argmax(1) == target[400:]).float().mean().item())
