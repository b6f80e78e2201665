# expect: nothing
# knowledge distillation: wide teacher -> small student (digits)
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import TensorDataset, DataLoader

torch.manual_seed(7)
T, ALPHA = 3.0, 0.7

d = load_digits()
xtr, xte, ytr, yte = train_test_split(
    torch.tensor(d.data, dtype=torch.float32) / 16, torch.tensor(d.target),
    test_size=0.3, random_state=7, stratify=d.target)
dl = DataLoader(TensorDataset(xtr, ytr), batch_size=64, shuffle=True)

teacher = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Dropout(0.2),
                        nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
student = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
opt_t = torch.optim.Adam(teacher.parameters(), lr=1e-3)
opt_s = torch.optim.Adam(student.parameters(), lr=1e-2)


def acc(m):
    m.eval()
    with torch.no_grad():
        return (m(xte).argmax(1) == yte).float().mean().item()


def train_teacher(epochs):
    for _ in range(epochs):
        teacher.train()
        for xb, yb in dl:
            loss = F.cross_entropy(teacher(xb), yb)
            opt_t.zero_grad()
            loss.backward()
            opt_t.step()


def distil(epochs):
    teacher.eval()
    for ep in range(epochs):
        student.train()
        tot = 0.0
        for xb, yb in dl:
            with torch.no_grad():
                soft = F.softmax(teacher(xb) / T, dim=1)
            out = student(xb)
            kd = F.kl_div(F.log_softmax(out / T, dim=1), soft,
                          reduction="batchmean") * T * T
            loss = ALPHA * kd + (1 - ALPHA) * F.cross_entropy(out, yb)
            opt_s.zero_grad(set_to_none=True)
            loss.backward()
            opt_s.step()
            tot += loss.item() * len(xb)
        if ep % 4 == 3:
            print(f"[student] epoch {ep + 1} loss {tot / len(xtr):.4f}")


train_teacher(15)
print("teacher test acc %.3f" % acc(teacher))
distil(16)
print("student test acc %.3f" % acc(student))
