# expect: augment_on_test @ 57
"""Digit images with shift and erase augmentation under a OneCycle schedule."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Compose:
    def __init__(self, *steps):
        self.steps = steps

    def __call__(self, img):
        for step in self.steps:
            img = step(img)
        return img


def to_unit(img):
    return img / 16.0 - 0.3


def random_shift(img, most=1):
    dy, dx = torch.randint(-most, most + 1, (2,)).tolist()
    return torch.roll(img, (dy, dx), dims=(-2, -1))


def random_erase(img, side=3):
    if torch.rand(()) < 0.5:
        r, c = torch.randint(0, 8 - side + 1, (2,)).tolist()
        img = img.clone()
        img[..., r:r + side, c:c + side] = -0.3
    return img


class DigitImages(Dataset):
    def __init__(self, images, labels, transform):
        self.images = torch.tensor(images, dtype=torch.float32).unsqueeze(1)
        self.labels, self.transform = torch.tensor(labels), transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.transform(self.images[i]), self.labels[i]


torch.manual_seed(17)
digits = load_digits()
tr_img, te_img, tr_lab, te_lab = train_test_split(
    digits.images, digits.target, test_size=0.3, stratify=digits.target, random_state=17)
train_tf = Compose(to_unit, random_shift, random_erase)
test_tf = Compose(to_unit)
train_dl = DataLoader(DigitImages(tr_img, tr_lab, train_tf), batch_size=64, shuffle=True)
test_dl = DataLoader(DigitImages(te_img, te_lab, train_tf), batch_size=128)

net = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
    nn.Conv2d(16, 32, 3, padding=1, stride=2), nn.ReLU(),
    nn.Flatten(), nn.Linear(512, 10))
EPOCHS = 6
opt = torch.optim.AdamW(net.parameters(), lr=1e-3)
sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=8e-3, total_steps=EPOCHS * len(train_dl))

for epoch in range(EPOCHS):
    net.train()
    total = 0.0
    for img, lab in train_dl:
        opt.zero_grad()
        loss = F.cross_entropy(net(img), lab)
        loss.backward()
        opt.step()
        sched.step()
        total += loss.item() * len(lab)
    print(f"epoch {epoch + 1} loss {total / len(tr_lab):.4f} lr {sched.get_last_lr()[0]:.5f}")

net.eval()
correct = 0
with torch.no_grad():
    for img, lab in test_dl:
        correct += (net(img).argmax(1) == lab).sum().item()
print(f"test accuracy {correct / len(te_lab):.4f}")
