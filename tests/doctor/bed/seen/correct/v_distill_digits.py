# expect: nothing
"""Knowledge distillation: a wide teacher, a narrow student, softened targets."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(4)
X, y = load_digits(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X / 8 - 1, y, test_size=0.3, random_state=4, stratify=y)
Xa, Xb = torch.tensor(Xa, dtype=torch.float32), torch.tensor(Xb, dtype=torch.float32)
ya, yb = torch.tensor(ya), torch.tensor(yb)
TEMP, ALPHA = 3.0, 0.7


def fit(model, loss_fn, epochs, lr):
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(epochs):
        model.train()
        for idx in torch.randperm(len(Xa)).split(64):
            loss = loss_fn(model(Xa[idx]), idx)
            opt.zero_grad()
            loss.backward()
            opt.step()
    return loss.item()


def accuracy(model):
    model.eval()
    with torch.no_grad():
        return (model(Xb).argmax(1) == yb).float().mean().item()


teacher = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10))
fit(teacher, lambda out, idx: F.cross_entropy(out, ya[idx]), 15, 2e-3)
print(f"teacher {accuracy(teacher):.3f}")

teacher.eval()
for p in teacher.parameters():
    p.requires_grad_(False)


def distill_loss(out, idx):
    soft = F.softmax(teacher(Xa[idx]) / TEMP, dim=1)
    kl = F.kl_div(F.log_softmax(out / TEMP, dim=1), soft, reduction="batchmean") * TEMP ** 2
    return ALPHA * kl + (1 - ALPHA) * F.cross_entropy(out, ya[idx])


student = nn.Sequential(nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10))
fit(student, distill_loss, 25, 5e-3)
print(f"student {accuracy(student):.3f}")
