# expect: nothing
# looks suspicious: the teacher stays in train mode (dropout on) under no_grad during training, softmax
# outputs enter an MSE, and most training rows have no label.
import torch
import torch.nn.functional as F
from sklearn.datasets import make_moons
from torch import nn

torch.manual_seed(0)
X, y = make_moons(700, noise=0.12, random_state=0)
X = torch.tensor(X, dtype=torch.float32)
X = (X - X[:500].mean(0)) / X[:500].std(0)
y = torch.tensor(y)
labelled = torch.arange(500)[:24]


def build(ema=False):
    net = nn.Sequential(
        nn.Linear(2, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)
    )
    if ema:
        for p in net.parameters():
            p.detach_()
    return net


student, teacher = build(), build(ema=True)
teacher.load_state_dict(student.state_dict())
optimizer = torch.optim.Adam(student.parameters(), lr=5e-3)


def update_ema_variables(model, ema_model, alpha, global_step):
    alpha = min(1 - 1 / (global_step + 1), alpha)
    for ema_param, param in zip(ema_model.parameters(), model.parameters(), strict=True):
        ema_param.data.mul_(alpha).add_(param.data, alpha=1 - alpha)


student.train()
teacher.train()
for step in range(250):
    rows = torch.randint(500, (100,))
    noise = lambda v: v + 0.1 * torch.randn_like(v)  # noqa: E731
    with torch.no_grad():
        teacher_prob = F.softmax(teacher(noise(X[rows])), dim=1)
    student_prob = F.softmax(student(noise(X[rows])), dim=1)
    consistency = F.mse_loss(student_prob, teacher_prob)
    class_loss = F.cross_entropy(student(noise(X[labelled])), y[labelled])
    loss = class_loss + min(1.0, step / 100) * 5 * consistency
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    update_ema_variables(student, teacher, 0.97, step)
    if step % 50 == 0:
        print(step, f"class {class_loss.item():.4f} consistency {consistency.item():.5f}")

for name, net in (("student", student), ("teacher", teacher)):
    net.eval()
    with torch.no_grad():
        print(name, (net(X[500:]).argmax(1) == y[500:]).float().mean().item())
