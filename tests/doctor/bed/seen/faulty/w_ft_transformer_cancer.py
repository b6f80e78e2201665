# expect: unscaled_inputs @ 18
"""A small FT-Transformer on the breast cancer table: every column becomes a token, AdamW with a warmup."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn


class ColumnNorm(nn.Module):
    """Remembers the training columns' centre and spread; columns that never vary are only centred."""

    def __init__(self, rows):
        super().__init__()
        std = rows.std(dim=0)
        self.register_buffer("centre", rows.mean(dim=0))
        self.register_buffer("spread", torch.where(std < 1e-8, std, torch.ones_like(std)))

    def forward(self, x):
        return (x - self.centre) / self.spread


class FeatureTokenizer(nn.Module):
    def __init__(self, columns, dim):
        super().__init__()
        self.weight = nn.Parameter(0.3 * torch.randn(columns, dim))
        self.bias = nn.Parameter(0.3 * torch.randn(columns, dim))
        self.cls = nn.Parameter(0.3 * torch.randn(1, 1, dim))

    def forward(self, x):
        tokens = x.unsqueeze(-1) * self.weight + self.bias
        return torch.cat([self.cls.expand(len(x), -1, -1), tokens], dim=1)


class Layer(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.attention = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.ff = nn.Sequential(nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))

    def forward(self, x):
        x = self.norm1(x + self.attention(x, x, x, need_weights=False)[0])
        return self.norm2(x + self.ff(x))


class FTTransformer(nn.Module):
    def __init__(self, columns, dim=16, heads=2):
        super().__init__()
        self.tokens = FeatureTokenizer(columns, dim)
        self.layer = Layer(dim, heads)
        self.head = nn.Linear(dim, 1)

    def forward(self, x):
        return self.head(self.layer(self.tokens(x))[:, 0]).squeeze(-1)


def main():
    torch.manual_seed(9)
    X, y = load_breast_cancer(return_X_y=True)
    xa, xb, ya, yb = train_test_split(X, y, test_size=0.3, stratify=y, random_state=9)
    xa, xb, ya, yb = (torch.tensor(a, dtype=torch.float32) for a in (xa, xb, ya, yb))
    norm = ColumnNorm(xa)
    xa, xb = norm(xa), norm(xb)

    model = FTTransformer(xa.shape[1])
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-3)
    warmup = torch.optim.lr_scheduler.LinearLR(opt, start_factor=0.2, total_iters=20)
    for epoch in range(12):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(xa)).split(32):
            loss = F.binary_cross_entropy_with_logits(model(xa[idx]), ya[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            warmup.step()
            total += loss.item() * len(idx)
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1:2d}  loss {total / len(xa):.4f}")

    model.eval()
    with torch.no_grad():
        logits = model(xb)
    accuracy = ((logits > 0) == yb.bool()).float().mean().item()
    print(f"test accuracy {accuracy:.4f}  auc {roc_auc_score(yb, logits):.4f}")


if __name__ == "__main__":
    main()
