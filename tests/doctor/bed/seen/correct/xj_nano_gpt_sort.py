# expect: nothing
"""A very small GPT on sorted digit strings, in one file."""
import math
import torch
import torch.nn as nn
from torch.nn import functional as F

n_layer, n_head, n_embd, dropout = 2, 2, 32, 0.0
vocab_size, n_digits = 6, 5
block_size = 2 * n_digits - 1
batch_size, max_iters, eval_interval = 64, 500, 100
learning_rate, min_lr, warmup_iters = 3e-3, 3e-4, 30
weight_decay, grad_clip = 0.1, 1.0
torch.manual_seed(1337)

# every string over the vocabulary, in two disjoint parts
grid = torch.cartesian_prod(*[torch.arange(vocab_size)] * n_digits)
grid = grid[torch.randperm(len(grid))]
n = int(0.9 * len(grid))
train_data, val_data = grid[:n], grid[n:]


def encode(rows):
    full = torch.cat([rows, rows.sort(dim=1).values], dim=1)
    x, y = full[:, :-1], full[:, 1:].clone()
    y[:, :n_digits - 1] = -1
    return x, y


def get_batch():
    ix = torch.randint(len(train_data), (batch_size,))
    return encode(train_data[ix])


class CausalSelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_attn = nn.Linear(n_embd, 3 * n_embd)
        self.c_proj = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(n_embd, dim=2)
        q, k, v = (t.view(B, T, n_head, C // n_head).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)
        self.attn = CausalSelfAttention()
        self.mlp = nn.Sequential(nn.Linear(n_embd, 4 * n_embd), nn.GELU(),
                                 nn.Linear(4 * n_embd, n_embd), nn.Dropout(dropout))

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(vocab_size, n_embd)
        self.wpe = nn.Embedding(block_size, n_embd)
        self.h = nn.ModuleList([Block() for _ in range(n_layer)])
        self.ln_f = nn.LayerNorm(n_embd)
        self.lm_head = nn.Linear(n_embd, vocab_size, bias=False)
        self.apply(self._init_weights)

    def _init_weights(self, m):
        if isinstance(m, (nn.Linear, nn.Embedding)):
            nn.init.normal_(m.weight, mean=0.0, std=0.05)
        if isinstance(m, nn.Linear) and m.bias is not None:
            nn.init.zeros_(m.bias)

    def forward(self, idx, targets=None):
        x = self.wte(idx) + self.wpe(torch.arange(idx.size(1)))
        for block in self.h:
            x = block(x)
        logits = self.lm_head(self.ln_f(x))
        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.view(-1, vocab_size), targets.reshape(-1), ignore_index=-1)
        return logits, loss


def get_lr(it):
    if it < warmup_iters:
        return learning_rate * (it + 1) / warmup_iters
    ratio = (it - warmup_iters) / (max_iters - warmup_iters)
    return min_lr + 0.5 * (1 + math.cos(math.pi * ratio)) * (learning_rate - min_lr)


@torch.no_grad()
def val_loss(model):
    model.eval()
    logits, loss = model(*(encode(val_data)))
    _, y = encode(val_data)
    keep = y != -1
    acc = (logits.argmax(-1) == y)[keep].float().mean()
    model.train()
    return loss.item(), acc.item()


model = GPT()
decay = [p for p in model.parameters() if p.dim() >= 2]
nodecay = [p for p in model.parameters() if p.dim() < 2]
optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": weight_decay},
                               {"params": nodecay, "weight_decay": 0.0}],
                              lr=learning_rate, betas=(0.9, 0.95))
for it in range(max_iters):
    for group in optimizer.param_groups:
        group["lr"] = get_lr(it)
    xb, yb = get_batch()
    _, loss = model(xb, yb)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), grad_clip)
    optimizer.step()
    if (it + 1) % eval_interval == 0:
        vl, va = val_loss(model)
        print(f"iter {it + 1}: train {loss.item():.4f}, val {vl:.4f}, val acc {va:.3f}")
