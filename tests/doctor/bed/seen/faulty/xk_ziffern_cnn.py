# expect: train_mode_never_restored @ 55
# allowed: train_mode_never_restored @ 43
# allowed: train_mode_never_restored @ 56
# allowed: train_mode_never_restored @ 65
"""Kleines CNN fuer die 8x8-Ziffern aus sklearn."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)

bilder, ziel = load_digits(return_X_y=True)
bilder = (bilder / 16.0).astype("float32").reshape(-1, 1, 8, 8)
x_tr, x_te, y_tr, y_te = train_test_split(
    bilder, ziel, test_size=0.25, stratify=ziel, random_state=3)
train_lader = DataLoader(
    TensorDataset(torch.from_numpy(x_tr), torch.from_numpy(y_tr)),
    batch_size=64, shuffle=True)
test_lader = DataLoader(
    TensorDataset(torch.from_numpy(x_te), torch.from_numpy(y_te)), batch_size=256)


class Netz(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(32)
        self.drop = nn.Dropout(0.4)
        self.kopf = nn.Linear(32 * 4, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        return self.kopf(self.drop(x.flatten(1)))


def genauigkeit(netz, lader):
    netz.eval()
    richtig = gesamt = 0
    with torch.no_grad():
        for x, y in lader:
            richtig += (netz(x).argmax(1) == y).sum().item()
            gesamt += len(y)
    return richtig / gesamt


netz = Netz()
optimierer = torch.optim.Adam(netz.parameters(), lr=2e-3)

netz.train()
for epoche in range(10):
    summe = 0.0
    for x, y in train_lader:
        optimierer.zero_grad()
        verlust = F.cross_entropy(netz(x), y)
        verlust.backward()
        optimierer.step()
        summe += verlust.item() * len(y)
    print(f"Epoche {epoche:2d}  Verlust {summe / len(x_tr):.4f}"
          f"  Test {genauigkeit(netz, test_lader):.3f}")
