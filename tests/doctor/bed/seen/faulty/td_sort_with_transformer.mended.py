# expect: nothing
"""A small Transformer that learns to sort ten digits (a toy from a talk on attention)."""
import torch
import torch.nn as nn
import torch.nn.functional as F

SYMBOLS = 10
LENGTH = 10


def make_batch(n, generator):
    """Unsorted digits and the same digits in order."""
    x = torch.randint(0, SYMBOLS, (n, LENGTH), generator=generator)
    return x, x.sort(dim=1).values


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))

    def forward(self, x):
        h = self.norm1(x)
        x = x + self.attention(h, h, h, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class Sorter(nn.Module):
    def __init__(self, dim=32, heads=2, depth=2):
        super().__init__()
        self.symbol = nn.Embedding(SYMBOLS, dim)
        self.place = nn.Parameter(torch.randn(1, LENGTH, dim) * 0.1)
        self.blocks = nn.Sequential(*[Block(dim, heads) for _ in range(depth)])
        self.out = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, SYMBOLS))

    def forward(self, tokens):
        return self.out(self.blocks(self.symbol(tokens) + self.place))


@torch.no_grad()
def token_accuracy(model, tokens, answer):
    model.eval()
    logits = model(tokens)
    guess = logits.argmax(dim=2)
    return (guess == answer).float().mean().item()


def main(steps=240, batch=48):
    torch.manual_seed(6)
    stream = torch.Generator().manual_seed(60)
    held_out = make_batch(500, torch.Generator().manual_seed(61))
    model = Sorter()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    for step in range(1, steps + 1):
        model.train()
        tokens, answer = make_batch(batch, stream)
        logits = model(tokens)
        loss = F.cross_entropy(logits.reshape(-1, SYMBOLS), answer.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 40 == 0:
            print(f"step {step:4d}  loss {loss.item():.4f}")
    print(f"digits in their right place, fresh lists: {token_accuracy(model, *held_out):.3f}")


if __name__ == "__main__":
    main()
