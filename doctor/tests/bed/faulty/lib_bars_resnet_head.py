# expect: softmax_before_cross_entropy @ 46
# needs: torchvision
# mend: 46 → model.fc = nn.Linear(512, 3)
"""Coloured bars with a ResNet of torchvision, of which the last part learns."""

import torch, torchvision
from torch import nn
from torchvision.transforms import v2
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(0)


class Shapes(Dataset):
    def __init__(self, n, seed, tf):
        g = torch.Generator().manual_seed(seed)
        self.y = torch.randint(0, 3, (n,), generator=g)
        self.tf = tf
        x = 0.2 * torch.rand(n, 3, 32, 32, generator=g)
        for i, k in enumerate(self.y):
            if k == 0:
                x[i, 0, 8:24, 8:24] += 0.7
            elif k == 1:
                x[i, 1, :, 14:18] += 0.7
            else:
                x[i, 2, 14:18, :] += 0.7
        self.x = (x * 255).to(torch.uint8)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.tf(self.x[i]), self.y[i]


norm = v2.Normalize([0.2] * 3, [0.2] * 3)
tt = v2.Compose(
    [v2.RandomHorizontalFlip(), v2.RandomCrop(32, padding=2), v2.ToDtype(torch.float32, scale=True), norm]
)
vt = v2.Compose([v2.ToDtype(torch.float32, scale=True), norm])
dl, vl = DataLoader(Shapes(400, 0, tt), 32, shuffle=True), DataLoader(Shapes(120, 1, vt), 60)
model = torchvision.models.resnet18(weights=None)
for p in model.parameters():
    p.requires_grad = False
model.layer4.requires_grad_(True)
model.fc = nn.Sequential(nn.Linear(512, 3), nn.Softmax(dim=1))
opt = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.01, momentum=0.9)
sch = torch.optim.lr_scheduler.StepLR(opt, 2, 0.5)
for epoch in range(3):
    model.train()
    for x, y in dl:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
    sch.step()
    model.eval()
    with torch.no_grad():
        print(epoch, loss.item(), sum((model(x).argmax(1) == y).sum().item() for x, y in vl) / 120)
