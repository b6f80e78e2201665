# expect: softmax_wrong_dim @ 33
"""A one-block Transformer, written by hand, that answers key-value look-ups in short sequences."""
import argparse

import torch
from torch import nn
import torch.nn.functional as F

N_KEYS, N_VALUES, PAIRS = 8, 6, 5


def lookup_batch(n, gen):
    """Rows hold PAIRS (key, value) tokens, and one of the keys as the question at the end."""
    keys = torch.rand(n, N_KEYS, generator=gen).argsort(dim=1)[:, :PAIRS]
    values = torch.randint(0, N_VALUES, (n, PAIRS), generator=gen)
    pick = torch.randint(0, PAIRS, (n, 1), generator=gen)
    question = keys.gather(1, pick)
    answer = values.gather(1, pick).squeeze(1)
    return keys, values, question, answer


class MultiHeadAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, d // self.heads).unbind(dim=2)
        scores = torch.einsum("bqhd,bkhd->bqkh", q, k) * (d // self.heads) ** -0.5
        weights = scores.softmax(dim=-1)
        mixed = torch.einsum("bqkh,bkhd->bqhd", weights, v)
        return self.out(mixed.reshape(b, t, d))


class LookupNet(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.key = nn.Embedding(N_KEYS, dim)
        self.value = nn.Embedding(N_VALUES + 1, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.attention = MultiHeadAttention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))
        self.head = nn.Linear(dim, N_VALUES)

    def forward(self, keys, values, question):
        blank = torch.full_like(question, N_VALUES)
        x = self.key(torch.cat([keys, question], dim=1)) + self.value(torch.cat([values, blank], dim=1))
        x = x + self.attention(self.norm1(x))
        x = x + self.mlp(self.norm2(x))
        return self.head(x[:, -1])


def parse_args():
    p = argparse.ArgumentParser()
    p.add_argument("--dim", type=int, default=32)
    p.add_argument("--heads", type=int, default=4)
    p.add_argument("--steps", type=int, default=250)
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--lr", type=float, default=5e-3)
    p.add_argument("--warmup", type=int, default=40)
    p.add_argument("--seed", type=int, default=1)
    return p.parse_args()


def main():
    args = parse_args()
    torch.manual_seed(args.seed)
    gen = torch.Generator().manual_seed(args.seed + 1)
    model = LookupNet(args.dim, args.heads)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / args.warmup, 1.0 - 0.9 * s / args.steps))

    model.train()
    for step in range(1, args.steps + 1):
        *tokens, answer = lookup_batch(args.batch, gen)
        loss = F.cross_entropy(model(*tokens), answer)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            print(f"step {step:4d}  loss {loss.item():.4f}")

    model.eval()
    with torch.inference_mode():
        *tokens, answer = lookup_batch(2000, torch.Generator().manual_seed(12345))
        acc = (model(*tokens).argmax(-1) == answer).float().mean().item()
    print(f"accuracy on fresh sequences {acc:.3f}")


if __name__ == "__main__":
    main()
