# expect: nothing
"""Knowledge distillation on digits: a frozen teacher's softened softmax guides a tiny student."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(4)
X, y = load_digits(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y), test_size=0.25, random_state=4, stratify=y)
teacher = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10))
student = nn.Sequential(nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10))
T, ALPHA = 3.0, 0.7


def minibatches(n=64):
    return torch.randperm(len(Xa)).split(n)


def accuracy(m):
    m.eval()
    with torch.no_grad():
        return (m(Xb).argmax(1) == yb).float().mean().item()


opt = torch.optim.Adam(teacher.parameters(), lr=3e-3)
for _ in range(10):
    teacher.train()
    for i in minibatches():
        opt.zero_grad()
        F.cross_entropy(teacher(Xa[i]), ya[i]).backward()
        opt.step()
print("teacher", round(accuracy(teacher), 3))

opt = torch.optim.Adam(student.parameters(), lr=5e-3)
teacher.eval()
for epoch in range(15):
    student.train()
    for i in minibatches():
        with torch.no_grad():
            soft = F.softmax(teacher(Xa[i]) / T, dim=1)
        out = student(Xa[i])
        kd = F.kl_div(F.log_softmax(out / T, dim=1), soft, reduction="batchmean") * T * T
        loss = ALPHA * kd + (1 - ALPHA) * F.cross_entropy(out, ya[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
print("student", round(accuracy(student), 3))
