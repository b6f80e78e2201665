# expect: nothing
"""Masked-patch pretraining on 8x8 digits, options as in the MAE repository."""
import argparse
import math

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, random_split


def get_args_parser():
    parser = argparse.ArgumentParser("masked pre-training", add_help=True)
    parser.add_argument("--batch_size", default=32, type=int, help="effective batch = batch_size * accum_iter")
    parser.add_argument("--accum_iter", default=1, type=int)
    parser.add_argument("--epochs", default=6, type=int)
    parser.add_argument("--warmup_epochs", default=1, type=int)
    parser.add_argument("--mask_ratio", default=0.5, type=float)
    parser.add_argument("--lr", default=None, type=float, help="absolute lr; overrides --blr")
    parser.add_argument("--blr", default=2.4e-2, type=float, help="lr = blr * effective batch / 256")
    parser.add_argument("--weight_decay", default=0.05, type=float)
    parser.add_argument("--seed", default=0, type=int)
    return parser


def patchify(imgs, p=2):
    """(N, 8, 8) -> (N, 16, 4)"""
    n = len(imgs)
    return imgs.reshape(n, 8 // p, p, 8 // p, p).transpose(2, 3).reshape(n, -1, p * p)


class MaskedModel(nn.Module):
    def __init__(self, dim=32, tokens=16, patch=4):
        super().__init__()
        self.embed = nn.Linear(patch, dim)
        self.mask_token = nn.Parameter(torch.randn(dim) * 0.02)
        self.pos = nn.Parameter(torch.randn(1, tokens, dim) * 0.02)
        layer = nn.TransformerEncoderLayer(dim, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(dim)
        self.decode = nn.Linear(dim, patch)

    def forward(self, patches, mask):
        h = torch.where(mask.unsqueeze(-1), self.mask_token, self.embed(patches)) + self.pos
        return self.decode(self.norm(self.encoder(h)))


def random_mask(n, tokens, ratio):
    rank = torch.rand(n, tokens).argsort(dim=1).argsort(dim=1)
    return rank < int(ratio * tokens)


def masked_mse(pred, target, mask):
    return ((pred - target) ** 2).mean(dim=-1)[mask].mean()


def adjust_learning_rate(optimizer, epoch, args):
    """Half-cycle cosine after a linear warm-up; `epoch` may be a fraction."""
    if epoch < args.warmup_epochs:
        lr = args.lr * epoch / args.warmup_epochs
    else:
        lr = args.lr * 0.5 * (1.0 + math.cos(math.pi * (epoch - args.warmup_epochs) / (args.epochs - args.warmup_epochs)))
    for group in optimizer.param_groups:
        group["lr"] = lr
    return lr


def train_one_epoch(model, loader, optimizer, epoch, args):
    model.train()
    total = 0.0
    optimizer.zero_grad()
    for it, imgs in enumerate(loader):
        if it % args.accum_iter == 0:
            adjust_learning_rate(optimizer, (it + 1) / len(loader) + epoch, args)
        patches = patchify(imgs)
        mask = random_mask(*patches.shape[:2], args.mask_ratio)
        loss = masked_mse(model(patches, mask), patches, mask)
        (loss / args.accum_iter).backward()
        if (it + 1) % args.accum_iter == 0:
            optimizer.step()
            optimizer.zero_grad()
        total += loss.item()
    return total / len(loader)


@torch.no_grad()
def evaluate(model, loader, args):
    model.eval()
    with torch.random.fork_rng():
        torch.manual_seed(1234)          # same masks at every evaluation; the outer stream is restored
        out = []
        for imgs in loader:
            patches = patchify(imgs)
            mask = random_mask(*patches.shape[:2], args.mask_ratio)
            out.append(masked_mse(model(patches, mask), patches, mask).item())
    return sum(out) / len(out)


def main(args):
    torch.manual_seed(args.seed)
    imgs = torch.tensor(load_digits().images, dtype=torch.float32) / 8.0 - 1.0
    train, val = random_split(imgs, [1472, 325])
    train_loader = DataLoader(train, args.batch_size, shuffle=True, drop_last=True)
    val_loader = DataLoader(val, 325)
    if args.lr is None:
        args.lr = args.blr * args.batch_size * args.accum_iter / 256
    model = MaskedModel()
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, betas=(0.9, 0.95), weight_decay=args.weight_decay)
    for epoch in range(args.epochs):
        loss = train_one_epoch(model, train_loader, optimizer, epoch, args)
        print(f"epoch {epoch} loss {loss:.4f} val {evaluate(model, val_loader, args):.4f}")


if __name__ == "__main__":
    main(get_args_parser().parse_args())
