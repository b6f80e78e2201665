# expect: nothing
"""Small convolutional net that segments bright discs and dark squares in noisy images."""
import torch
import torch.nn.functional as F
from torch import nn


def make_images(n, g):
    img = 0.2 * torch.randn(n, 1, 16, 16, generator=g)
    mask = torch.zeros(n, 16, 16, dtype=torch.long)
    yy, xx = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
    for i in range(n):
        cy, cx = torch.randint(3, 13, (2,), generator=g).tolist()
        disc = (yy - cy) ** 2 + (xx - cx) ** 2 < 12
        sy, sx = torch.randint(0, 11, (2,), generator=g).tolist()
        sq = (yy >= sy) & (yy < sy + 5) & (xx >= sx) & (xx < sx + 5)
        img[i, 0][disc] += 1
        mask[i][disc] = 1
        img[i, 0][sq] = img[i, 0][sq] * 0 - 1
        mask[i][sq] = 2
    return img, mask


g = torch.Generator().manual_seed(4)
torch.manual_seed(4)
x, m = make_images(240, g)
x_te, m_te = make_images(60, g)
net = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 12, 3, padding=1), nn.ReLU(),
                    nn.Conv2d(12, 3, 1))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(5):
    net.train()
    for idx in torch.randperm(len(x)).split(24):
        scores = net(x[idx])
        loss = F.nll_loss(F.log_softmax(scores, dim=1), m[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print("epoch", epoch, "loss", round(loss.item(), 4))
net.eval()
with torch.inference_mode():
    pred = net(x_te).argmax(dim=1)
    iou = [((pred == k) & (m_te == k)).sum().item() / ((pred == k) | (m_te == k)).sum().item() for k in range(3)]
print("pixel accuracy", (pred == m_te).float().mean().item(), "iou", [round(v, 3) for v in iou])
