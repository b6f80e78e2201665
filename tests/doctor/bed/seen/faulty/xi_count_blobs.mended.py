# expect: nothing
# Count the bright blobs in small images (regression with a tiny CNN)
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(3)


def make_images(n):
    imgs = 0.1 * torch.randn(n, 1, 16, 16)
    counts = torch.randint(0, 6, (n,))
    for i in range(n):
        cells = torch.randperm(16)[:counts[i]]
        for c in cells.tolist():
            r, k = 4 * (c // 4), 4 * (c % 4)
            imgs[i, 0, r + 1:r + 3, k + 1:k + 3] += 1.0
    return imgs, counts.float()


train_x, train_y = make_images(600)
test_x, test_y = make_images(200)

net = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(256, 1),
)
opt = torch.optim.Adam(net.parameters(), lr=2e-3)

for epoch in range(12):
    net.train()
    running = 0.0
    for idx in torch.randperm(len(train_x)).split(32):
        pred = net(train_x[idx])
        loss = F.smooth_l1_loss(pred.squeeze(1), train_y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item() * len(idx)
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1:2d} loss {running / len(train_x):.4f}")

net.eval()
with torch.no_grad():
    out = net(test_x).squeeze(1)
print(f"mean absolute error {(out - test_y).abs().mean():.3f}")
print(f"exact counts {(out.round() == test_y).float().mean():.3f}")
