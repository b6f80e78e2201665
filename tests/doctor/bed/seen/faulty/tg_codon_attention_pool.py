# expect: softmax_wrong_dim @ 33
"""Which motif does a DNA read carry? Attention pooling over positions, made-up reads."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

rng = np.random.default_rng(0)
torch.manual_seed(0)
MOTIFS = ["GATTACA", "TTGACCA", "CCATGGC"]
ALPHABET = "ACGT"


def make_reads(n, length=30):
    labels = rng.integers(0, len(MOTIFS), n)
    reads = rng.integers(0, 4, (n, length))
    for row, lab in zip(reads, labels):
        start = rng.integers(0, length - 7)
        row[start:start + 7] = [ALPHABET.index(b) for b in MOTIFS[lab]]
    return torch.from_numpy(reads), torch.from_numpy(labels)


embed = nn.Embedding(4, 8)
conv = nn.Conv1d(8, 32, 7, padding=3)
score = nn.Linear(32, 1)
head = nn.Linear(32, 3)
params = [p for m in (embed, conv, score, head) for p in m.parameters()]
opt = torch.optim.Adam(params, lr=5e-3)


def forward(reads):
    h = F.relu(conv(embed(reads).transpose(1, 2))).transpose(1, 2)   # reads, positions, features
    w = torch.softmax(score(h).squeeze(-1), dim=0)
    pooled = torch.einsum("np,npf->nf", w, h)
    return head(pooled)


r_tr, l_tr = make_reads(1200)
r_te, l_te = make_reads(400)
for epoch in range(8):
    for i in torch.randperm(len(r_tr)).split(64):
        opt.zero_grad()
        loss = F.cross_entropy(forward(r_tr[i]), l_tr[i])
        loss.backward()
        opt.step()
    print(f"epoch {epoch + 1}  last loss {loss.item():.3f}")

with torch.no_grad():
    hit = (forward(r_te).argmax(1) == l_te).float().mean().item()
print(f"motif recovered in {hit:.3f} of held-out reads")
