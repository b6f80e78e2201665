# expect: nothing
# looks suspicious: -inf in the attention mask, labels of -100 nearly everywhere, an output layer that is
# the very same tensor as the embedding (tied weights), argmax over the last axis.
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
gen = torch.Generator().manual_seed(0)
V, T, D, MASK, PAD = 14, 12, 32, 13, 12


class TinyBert(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(V, D)
        self.pos = nn.Parameter(0.02 * torch.randn(T, D))
        layer = nn.TransformerEncoderLayer(D, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.enc = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.out = nn.Linear(D, V)
        nn.init.normal_(self.tok.weight, std=0.2)
        self.out.weight = self.tok.weight

    def forward(self, ids):
        bias = torch.zeros(ids.shape).masked_fill(ids == PAD, float("-inf"))
        return self.out(self.enc(self.tok(ids) + self.pos, src_key_padding_mask=bias))


def sentences(n):
    start = torch.randint(0, 12, (n, 1), generator=gen)
    ids = (start + torch.arange(T)) % 12
    length = torch.randint(6, T + 1, (n, 1), generator=gen)
    return ids.masked_fill(torch.arange(T) >= length, PAD)


def corrupt(ids):
    chosen = (torch.rand(ids.shape, generator=gen) < 0.2) & (ids != PAD)
    labels = ids.masked_fill(~chosen, -100)
    return ids.masked_fill(chosen, MASK), labels


model = TinyBert()
opt = torch.optim.AdamW(model.parameters(), lr=1e-2)
for step in range(160):
    inputs, labels = corrupt(sentences(24))
    loss = F.cross_entropy(model(inputs).view(-1, V), labels.view(-1), ignore_index=-100)
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
    if step % 40 == 0:
        print(step, f"{loss.item():.4f}")
model.eval()
with torch.no_grad():
    inputs, labels = corrupt(sentences(200))
    where = labels != -100
    print("masked accuracy", (model(inputs).argmax(-1)[where] == labels[where]).float().mean().item())
