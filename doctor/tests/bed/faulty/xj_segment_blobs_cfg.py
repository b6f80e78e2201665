# expect: batchnorm_batch_of_one @ 19
# allowed: batchnorm_batch_of_one @ 37
# allowed: batchnorm_batch_of_one @ 72
# allowed: batchnorm_batch_of_one @ 83
# mend: 19 →     batch_size=16,
"""Tiny segmentation of blobs, configuration in a dict."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

cfg = dict(
    seed=0,
    n_train=160,
    n_val=64,
    size=16,
    width=12,
    epochs=3,
    lr=2e-3,
    batch_size=1,
)


def make_images(n, size, gen):
    yy, xx = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    cy = torch.randint(4, size - 4, (n, 1, 1), generator=gen)
    cx = torch.randint(4, size - 4, (n, 1, 1), generator=gen)
    r = torch.randint(3, 6, (n, 1, 1), generator=gen)
    mask = ((yy - cy) ** 2 + (xx - cx) ** 2 <= r ** 2).float()
    level = 0.4 + 1.2 * torch.rand(n, 1, 1, generator=gen)
    img = mask * level + 0.25 * torch.randn(n, size, size, generator=gen)
    return img.unsqueeze(1), mask.unsqueeze(1)


def block(cin, cout):
    return nn.Sequential(
        nn.Conv2d(cin, cout, 3, padding=1, bias=False),
        nn.BatchNorm2d(cout),
        nn.ReLU(inplace=True),
    )


class SmallFCN(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.enc = nn.Sequential(block(1, width), block(width, width))
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, x):
        return self.head(self.enc(x))


@torch.no_grad()
def validate(model, loader):
    model.eval()
    inter = union = 0.0
    total = count = 0
    for img, mask in loader:
        logits = model(img)
        total += nn.functional.binary_cross_entropy_with_logits(logits, mask).item() * len(img)
        count += len(img)
        pred = logits > 0
        inter += (pred & mask.bool()).sum().item()
        union += (pred | mask.bool()).sum().item()
    return total / count, inter / union


def main():
    torch.manual_seed(cfg["seed"])
    gen = torch.Generator().manual_seed(cfg["seed"])
    train = TensorDataset(*make_images(cfg["n_train"], cfg["size"], gen))
    val = TensorDataset(*make_images(cfg["n_val"], cfg["size"], gen))
    train_loader = DataLoader(train, batch_size=cfg["batch_size"], shuffle=True)
    val_loader = DataLoader(val, batch_size=32)

    model = SmallFCN(cfg["width"])
    optim = torch.optim.AdamW(model.parameters(), lr=cfg["lr"])
    steps = 0
    while steps < 480:
        model.train()
        running = n = 0
        for img, mask in train_loader:
            optim.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(model(img), mask)
            loss.backward()
            optim.step()
            steps += 1
            running += loss.item() * len(img)
            n += len(img)
    print(f"steps {steps}  last epoch train loss {running / n:.4f}")
    loss, iou = validate(model, val_loader)
    print(f"val loss {loss:.4f}  IoU {iou:.4f}")


if __name__ == "__main__":
    main()
