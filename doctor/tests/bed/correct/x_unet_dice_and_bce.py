# expect: nothing
# looks suspicious: a sigmoid stands next to BCE with logits (it feeds the Dice term only), most pixels are
# background, and the learning rate is lowered by a validation score.
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split


def make_blobs(n, size=16):
    grid = torch.arange(size, dtype=torch.float32)
    cy, cx = torch.randint(4, 12, (2, n, 1, 1)).float()
    ry, rx = torch.randint(2, 5, (2, n, 1, 1)).float()
    mask = (((grid[:, None] - cy) / ry) ** 2 + ((grid[None] - cx) / rx) ** 2 <= 1).float()
    image = 0.8 * mask + 0.3 * torch.randn(n, size, size)
    return image.unsqueeze(1), mask


class DoubleConv(nn.Sequential):
    def __init__(self, i, o):
        super().__init__(
            nn.Conv2d(i, o, 3, padding=1, bias=False),
            nn.BatchNorm2d(o),
            nn.ReLU(inplace=True),
            nn.Conv2d(o, o, 3, padding=1, bias=False),
            nn.BatchNorm2d(o),
            nn.ReLU(inplace=True),
        )


class UNet(nn.Module):
    def __init__(self, width=6):
        super().__init__()
        self.inc, self.down = DoubleConv(1, width), DoubleConv(width, 2 * width)
        self.up = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.conv, self.outc = DoubleConv(2 * width, width), nn.Conv2d(width, 1, 1)

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.up(self.down(F.max_pool2d(x1, 2)))
        return self.outc(self.conv(torch.cat([x1, x2], dim=1)))


def dice_coeff(input, target, epsilon=1e-6):
    inter = 2 * (input * target).sum(dim=(-1, -2))
    sets_sum = input.sum(dim=(-1, -2)) + target.sum(dim=(-1, -2))
    return ((inter + epsilon) / (sets_sum + epsilon)).mean()


@torch.inference_mode()
def evaluate(net, dataloader):
    net.eval()
    score = 0.0
    for image, mask_true in dataloader:
        mask_pred = (torch.sigmoid(net(image)) > 0.5).float()
        score += dice_coeff(mask_pred.squeeze(1), mask_true)
    net.train()
    return score / max(len(dataloader), 1)


torch.manual_seed(0)
dataset = TensorDataset(*make_blobs(220))
train_set, val_set = random_split(dataset, [180, 40], generator=torch.Generator().manual_seed(0))
train_loader, val_loader = (
    DataLoader(train_set, batch_size=20, shuffle=True),
    DataLoader(val_set, batch_size=20),
)
model = UNet()
optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3, weight_decay=1e-8, momentum=0.9)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "max", patience=2)
grad_scaler = torch.amp.GradScaler("cpu", enabled=False)
criterion = nn.BCEWithLogitsLoss()

for epoch in range(1, 4):
    model.train()
    epoch_loss = 0.0
    for images, true_masks in train_loader:
        masks_pred = model(images)
        loss = criterion(masks_pred.squeeze(1), true_masks)
        loss += 1 - dice_coeff(torch.sigmoid(masks_pred.squeeze(1)), true_masks)
        optimizer.zero_grad(set_to_none=True)
        grad_scaler.scale(loss).backward()
        grad_scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        grad_scaler.step(optimizer)
        grad_scaler.update()
        epoch_loss += loss.item()
    val_score = evaluate(model, val_loader)
    scheduler.step(val_score)
    print(f"epoch {epoch} loss {epoch_loss / len(train_loader):.4f} validation Dice {val_score:.4f}")
