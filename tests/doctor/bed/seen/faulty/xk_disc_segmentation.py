# expect: metric_wrong_axis @ 42
# allowed: metric_wrong_axis @ 43
# allowed: metric_wrong_axis @ 44
# allowed: metric_wrong_axis @ 45
"""Toy segmentation: find bright discs on a noisy background."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(42)
SIZE = 24


def make_images(n):
    yy, xx = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    cx = torch.randint(6, SIZE - 6, (n, 1, 1))
    cy = torch.randint(6, SIZE - 6, (n, 1, 1))
    r = torch.randint(6, 10, (n, 1, 1))
    masks = (((xx - cx) ** 2 + (yy - cy) ** 2) < r ** 2).float()
    imgs = masks + 0.6 * torch.randn(n, SIZE, SIZE)
    return imgs.unsqueeze(1), masks


class TinyUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1 = nn.Conv2d(1, 8, 3, padding=1)
        self.down2 = nn.Conv2d(8, 16, 3, padding=1)
        self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.out = nn.Conv2d(16, 1, 1)

    def forward(self, x):
        a = F.relu(self.down1(x))
        b = F.relu(self.down2(F.max_pool2d(a, 2)))
        c = F.relu(self.up(b))
        return self.out(torch.cat([a, c], dim=1))


def evaluate(model, images, masks):
    model.eval()
    with torch.no_grad():
        pred = (model(images) > 0).float()
        pixel_acc = (pred == masks).float().mean()
        inter = (pred * masks).sum()
        union = ((pred + masks) > 0).float().sum()
    return pixel_acc.item(), (inter / union).item()


train_x, train_m = make_images(400)
test_x, test_m = make_images(100)

model = TinyUNet()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
loss_fn = nn.BCEWithLogitsLoss()

for epoch in range(6):
    model.train()
    perm = torch.randperm(len(train_x))
    running = 0.0
    for i in range(0, len(perm), 20):
        b = perm[i:i + 20]
        optimizer.zero_grad()
        loss = loss_fn(model(train_x[b]), train_m[b].unsqueeze(1))
        loss.backward()
        optimizer.step()
        running += loss.item() * len(b)
    acc, iou = evaluate(model, test_x, test_m)
    print(f"epoch {epoch} loss {running / len(perm):.3f} pixel acc {acc:.3f} IoU {iou:.3f}")
