# expect: nothing
"""Small character-level transformer, one file, minimal logging."""
import math
import random
import torch
import torch.nn as nn
from torch.nn import functional as F

# hyperparameters
batch_size = 16
block_size = 24
max_iters = 240
eval_interval = 40
learning_rate = 3e-3
eval_iters = 8
n_embd, n_head, n_layer = 32, 4, 2

torch.manual_seed(1337)
random.seed(1337)
who = ["the king", "my lord", "a fool", "the queen", "sweet nurse"]
act = ["doth sing", "shall weep", "will fight", "must sleep", "did laugh"]
end = ["tonight", "in vain", "for love", "with grace"]
text = "\n".join(f"{random.choice(who)} {random.choice(act)} {random.choice(end)}."
                 for _ in range(900))

chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text])
n = int(0.9 * len(data))
splits = {"train": data[:n], "val": data[n:]}


def get_batch(split):
    d = splits[split]
    ix = torch.randint(len(d) - block_size - 1, (batch_size,))
    return (torch.stack([d[i:i + block_size] for i in ix]),
            torch.stack([d[i + 1:i + block_size + 1] for i in ix]))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)
        self.qkv = nn.Linear(n_embd, 3 * n_embd, bias=False)
        self.proj = nn.Linear(n_embd, n_embd)
        self.mlp = nn.Sequential(nn.Linear(n_embd, 4 * n_embd), nn.GELU(),
                                 nn.Linear(4 * n_embd, n_embd))

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (z.view(B, T, n_head, C // n_head).transpose(1, 2)
                   for z in self.qkv(self.ln1(x)).split(C, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(B, T, C))
        return x + self.mlp(self.ln2(x))


class CharLM(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(len(chars), n_embd)
        self.pos = nn.Embedding(block_size, n_embd)
        self.blocks = nn.Sequential(*[Block() for _ in range(n_layer)])
        self.ln_f = nn.LayerNorm(n_embd)
        self.head = nn.Linear(n_embd, len(chars))

    def forward(self, idx):
        x = self.tok(idx) + self.pos(torch.arange(idx.size(1)))
        return self.head(self.ln_f(self.blocks(x)))


@torch.no_grad()
def estimate_loss():
    model.eval()
    out = {}
    for split in splits:
        total = 0.0
        for _ in range(eval_iters):
            xb, yb = get_batch(split)
            total += F.cross_entropy(model(xb).flatten(0, 1), yb.flatten()).item()
        out[split] = total / eval_iters
    model.train()
    return out


model = CharLM()
optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
print(f"uniform guess: {math.log(len(chars)):.3f}")
model.train()
for it in range(max_iters + 1):
    if it % eval_interval == 0:
        e = estimate_loss()
        print(f"step {it}: train loss {e['train']:.4f}, val loss {e['val']:.4f}")
    xb, yb = get_batch("train")
    loss = F.cross_entropy(model(xb).flatten(0, 1), yb.flatten())
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
