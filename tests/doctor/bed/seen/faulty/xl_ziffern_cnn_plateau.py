# expect: scheduler_misuse @ 55
# allowed: scheduler_misuse @ 68
"""Kleines CNN auf den Ziffern aus sklearn, mit zufälligen Verschiebungen."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(11)

bilder, ziffern = load_digits(return_X_y=True)
x_rest, x_test, y_rest, y_test = train_test_split(
    bilder, ziffern, test_size=0.2, stratify=ziffern, random_state=11)
x_train, x_val, y_train, y_val = train_test_split(
    x_rest, y_rest, test_size=0.2, stratify=y_rest, random_state=11)


def als_tensor(x, y):
    x = torch.tensor(x / 16.0, dtype=torch.float32).view(-1, 1, 8, 8)
    return x, torch.tensor(y)


x_train, y_train = als_tensor(x_train, y_train)
x_val, y_val = als_tensor(x_val, y_val)
x_test, y_test = als_tensor(x_test, y_test)


def verschieben(x):
    """Jedes Bild um hoechstens ein Pixel in beide Richtungen verschieben."""
    gepolstert = F.pad(x, (1, 1, 1, 1))
    aus = torch.empty_like(x)
    for i in range(len(x)):
        dy, dx = torch.randint(0, 3, (2,)).tolist()
        aus[i] = gepolstert[i, :, dy:dy + 8, dx:dx + 8]
    return aus


def netz_bauen():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 16, 64), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(64, 10))


@torch.no_grad()
def genauigkeit(netz, x, y):
    netz.eval()
    return (netz(x).argmax(1) == y).float().mean().item()


netz = netz_bauen()
optimierer = torch.optim.SGD(netz.parameters(), lr=0.05, momentum=0.9)
plan = torch.optim.lr_scheduler.ReduceLROnPlateau(optimierer, factor=0.2, patience=1)

for epoche in range(1, 11):
    netz.train()
    verlust_summe = 0.0
    for idx in torch.randperm(len(x_train)).split(64):
        xb, yb = verschieben(x_train[idx]), y_train[idx]
        optimierer.zero_grad()
        verlust = F.cross_entropy(netz(xb), yb)
        verlust.backward()
        optimierer.step()
        verlust_summe += verlust.item() * len(idx)
    val = genauigkeit(netz, x_val, y_val)
    plan.step(val)
    lr = optimierer.param_groups[0]["lr"]
    print(f"Epoche {epoche:2d}  Verlust {verlust_summe / len(x_train):.3f}  "
          f"Val {val:.3f}  lr {lr:.2e}")

print(f"Testgenauigkeit: {genauigkeit(netz, x_test, y_test):.3f}")
