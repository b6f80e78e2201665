# expect: nothing
"""A tiny vision transformer on the 8x8 digits, learning rate by the linear scaling rule with warmup."""
import argparse

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


def get_args():
    p = argparse.ArgumentParser("tiny ViT")
    p.add_argument("--batch-size", type=int, default=32)
    p.add_argument("--blr", type=float, default=3e-2, help="base learning rate for 256 images")
    p.add_argument("--epochs", type=int, default=5)
    p.add_argument("--warmup", type=int, default=15, help="steps")
    p.add_argument("--dim", type=int, default=32)
    p.add_argument("--depth", type=int, default=1)
    p.add_argument("--seed", type=int, default=13)
    return p.parse_args([])


class TinyViT(nn.Module):
    def __init__(self, dim, depth, patch=2, n_class=10):
        super().__init__()
        self.patch = nn.Conv2d(1, dim, patch, stride=patch)
        self.pos = nn.Parameter(torch.randn(1, 16, dim) * 0.2)
        layer = nn.TransformerEncoderLayer(dim, 4, 2 * dim, dropout=0.0, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, n_class)

    def forward(self, img):
        tokens = self.patch(img).flatten(2).transpose(1, 2)
        return self.head(self.norm(self.blocks(tokens + self.pos)).mean(1))


def load(seed):
    d = load_digits()
    parts = train_test_split(d.images / 16.0, d.target, test_size=0.25, stratify=d.target, random_state=seed)
    mean, std = parts[0].mean(), parts[0].std()
    x_tr, x_te = (torch.tensor((p - mean) / std, dtype=torch.float32).unsqueeze(1) for p in parts[:2])
    return x_tr, x_te, torch.tensor(parts[2]), torch.tensor(parts[3])


def main(args):
    torch.manual_seed(args.seed)
    x_tr, x_te, y_tr, y_te = load(args.seed)
    model = TinyViT(args.dim, args.depth)
    lr = args.blr * args.batch_size / 256
    opt = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01)
    warm = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min(1.0, (s + 1) / args.warmup))
    ce = nn.CrossEntropyLoss()
    for epoch in range(args.epochs):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x_tr)).split(args.batch_size):
            loss = ce(model(x_tr[idx]), y_tr[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            warm.step()
            total += loss.item() * len(idx)
        print(f"epoch {epoch + 1} loss {total / len(x_tr):.4f}")
    model.eval()
    with torch.no_grad():
        acc = (model(x_te).argmax(1) == y_te).float().mean().item()
    print(f"test accuracy {acc:.4f}")


if __name__ == "__main__":
    main(get_args())
