# expect: nothing
# looks suspicious: model.train() leaves the batch-norm layers in eval mode (train() is overridden) and
# small batches of two pass through them: frozen statistics, as detectors do when fine-tuning.
import torch
from torch import nn

torch.manual_seed(0)


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 12, 3, padding=1)
        self.bn = nn.BatchNorm2d(12)

    def forward(self, x):
        return torch.relu(self.bn(self.conv(x)))


class Localiser(nn.Module):
    def __init__(self, freeze_bn=False):
        super().__init__()
        self.backbone = Backbone()
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(12 * 36, 24), nn.ReLU(), nn.Linear(24, 2))
        self.freeze_bn = freeze_bn

    def forward(self, x):
        return self.head(self.backbone(x))

    def train(self, mode=True):
        super().train(mode)
        if self.freeze_bn:
            for m in self.modules():
                if isinstance(m, nn.BatchNorm2d):
                    m.eval()
        return self


def sample(n):
    image = 0.2 * torch.randn(n, 1, 6, 6)
    row, col = torch.randint(6, (n,)), torch.randint(6, (n,))
    image[torch.arange(n), 0, row, col] += 2.0
    return image, torch.stack([row, col], 1) / 2.5 - 1


x, y = sample(400)
xv, yv = sample(200)
model = Localiser()


def fit(epochs, batch, lr):
    opt = torch.optim.Adam(filter(lambda p: p.requires_grad, model.parameters()), lr=lr)
    for epoch in range(epochs):
        model.train()
        for rows in torch.randperm(400).split(batch):
            opt.zero_grad()
            loss = nn.functional.smooth_l1_loss(model(x[rows]), y[rows])
            loss.backward()
            opt.step()
        model.eval()
        with torch.no_grad():
            print(f"epoch {epoch} val {nn.functional.smooth_l1_loss(model(xv), yv).item():.4f}")


fit(4, batch=40, lr=5e-3)
model.freeze_bn = True
for p in model.backbone.bn.parameters():
    p.requires_grad = False
fit(1, batch=2, lr=5e-4)
