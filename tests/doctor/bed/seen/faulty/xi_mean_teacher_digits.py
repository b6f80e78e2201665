# expect: lr_too_low @ 22
"""Mean teacher on digits: few labels, many unlabelled images, EMA weights."""
import copy
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X / 16.0, y, test_size=0.3, stratify=y, random_state=0)
X_lab, X_unl, y_lab, _ = train_test_split(X_tr, y_tr, train_size=300, stratify=y_tr, random_state=0)
X_lab, X_unl, X_te = (torch.tensor(a).float() for a in (X_lab, X_unl, X_te))
y_lab, y_te = torch.tensor(y_lab), torch.tensor(y_te)

student = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
teacher = copy.deepcopy(student)
for p in teacher.parameters():
    p.requires_grad_(False)

optimizer = torch.optim.Adam(student.parameters(), lr=1e-6)


def jitter(x):
    return x + 0.1 * torch.randn_like(x)


@torch.no_grad()
def update_ema(decay):
    for t, s in zip(teacher.parameters(), student.parameters()):
        t.mul_(decay).add_(s, alpha=1 - decay)


step, epochs = 0, 30
for epoch in range(epochs):
    student.train()
    total = 0.0
    batches = torch.randperm(len(X_lab)).split(30)
    for idx in batches:
        unl = X_unl[torch.randint(len(X_unl), (90,))]
        sup = F.cross_entropy(student(jitter(X_lab[idx])), y_lab[idx])
        with torch.no_grad():
            target = teacher(jitter(unl)).softmax(dim=1)
        cons = F.mse_loss(student(jitter(unl)).softmax(dim=1), target)
        loss = sup + min(1.0, epoch / 10) * cons
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        update_ema(min(0.97, 1 - 1 / (step + 1)))
        total += sup.item()
    if (epoch + 1) % 10 == 0:
        print(f"epoch {epoch + 1} supervised loss {total / len(batches):.4f}")

student.eval()
teacher.eval()
with torch.no_grad():
    for name, model in (("student", student), ("teacher", teacher)):
        print(f"{name} accuracy {(model(X_te).argmax(1) == y_te).float().mean():.3f}")
