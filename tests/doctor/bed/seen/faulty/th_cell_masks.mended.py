# expect: nothing
"""Cell segmentation on drawn microscopy tiles with a tiny U-shaped net; one run_epoch for all phases."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SIZE = 24


def draw_tile(rng):
    yy, xx = np.mgrid[:SIZE, :SIZE]
    mask = np.zeros((SIZE, SIZE), np.float32)
    for _ in range(rng.integers(2, 5)):
        cy, cx = rng.uniform(3, SIZE - 3, 2)
        a, b = rng.uniform(2.0, 4.5, 2)
        mask[((yy - cy) / a) ** 2 + ((xx - cx) / b) ** 2 < 1] = 1
    image = 0.8 * mask + rng.normal(0, 0.45, mask.shape) + 0.01 * xx
    return image.astype(np.float32), mask


def make_tiles(n, seed):
    rng = np.random.default_rng(seed)
    tiles = [draw_tile(rng) for _ in range(n)]
    return (torch.from_numpy(np.stack([t[0] for t in tiles])).unsqueeze(1),
            torch.from_numpy(np.stack([t[1] for t in tiles])).unsqueeze(1))


def block(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())


class MiniUNet(nn.Module):
    def __init__(self, w=8):
        super().__init__()
        self.down = block(1, w)
        self.mid = block(w, 2 * w)
        self.drop = nn.Dropout2d(0.3)
        self.up = block(3 * w, w)
        self.last = nn.Conv2d(w, 1, 1)

    def forward(self, x):
        a = self.down(x)
        b = self.drop(self.mid(F.max_pool2d(a, 2)))
        b = F.interpolate(b, scale_factor=2, mode="nearest")
        return self.last(self.up(torch.cat([a, b], 1)))


def run_epoch(model, images, masks, optimizer=None, batch_size=16):
    training = optimizer is not None
    model.train(training)
    order = torch.randperm(len(images)) if training else torch.arange(len(images))
    loss_sum, inter, union = 0.0, 0.0, 0.0
    with torch.set_grad_enabled(training):
        for idx in order.split(batch_size):
            logits = model(images[idx])
            loss = F.binary_cross_entropy_with_logits(logits, masks[idx])
            if training:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            hard = (logits.detach() > 0).float()
            inter += (hard * masks[idx]).sum().item()
            union += torch.maximum(hard, masks[idx]).sum().item()
            loss_sum += loss.item() * len(idx)
    return loss_sum / len(images), inter / union


if __name__ == "__main__":
    torch.manual_seed(99)
    train_x, train_y = make_tiles(160, seed=1)
    val_x, val_y = make_tiles(40, seed=2)
    test_x, test_y = make_tiles(80, seed=3)
    model = MiniUNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(1, 11):
        tr = run_epoch(model, train_x, train_y, optimizer)
        va = run_epoch(model, val_x, val_y)
        print(f"{epoch:2d} | train loss {tr[0]:.4f} IoU {tr[1]:.3f} | val loss {va[0]:.4f} IoU {va[1]:.3f}")
    loss, iou = run_epoch(model, test_x, test_y)
    print(f"test loss {loss:.4f} IoU {iou:.3f}")
