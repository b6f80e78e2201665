# expect: nothing
"""Knowledge distillation: a wide teacher is trained on digits, a slim student learns from its softened answers and the labels."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


def teacher_net():
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


def student_net():
    return nn.Sequential(nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10))


def distillation(student_logits, teacher_logits, labels, temperature=3.0, alpha=0.6):
    soft = F.kl_div(
        F.log_softmax(student_logits / temperature, dim=1),
        F.softmax(teacher_logits / temperature, dim=1),
        reduction="batchmean",
    ) * temperature ** 2
    return alpha * soft + (1 - alpha) * F.cross_entropy(student_logits, labels)


def run(model, loader, loss_of, epochs, lr, name):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for x, y in loader:
            loss = loss_of(model(x), x, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        scheduler.step()
    print(f"{name}: loss of the last epoch {total / len(loader):.4f}")


@torch.no_grad()
def accuracy(model, x, y):
    model.eval()
    return (model(x).argmax(dim=1) == y).float().mean().item()


torch.manual_seed(61)
X, y = load_digits(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X / 8.0 - 1.0, y, test_size=0.3, stratify=y, random_state=61)
x_tr, x_te = (torch.tensor(a, dtype=torch.float32) for a in (X_tr, X_te))
y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)
loader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=64, shuffle=True)

teacher = teacher_net()
run(teacher, loader, lambda out, x, y: F.cross_entropy(out, y), epochs=12, lr=3e-3, name="teacher")
teacher.eval()
for p in teacher.parameters():
    p.requires_grad = False

student = student_net()


def student_loss(out, x, y):
    with torch.no_grad():
        answers = teacher(x)
    return distillation(out, answers, y)


run(student, loader, student_loss, epochs=15, lr=1e-2, name="student")
print(f"teacher {accuracy(teacher, x_te, y_te):.3f}, student {accuracy(student, x_te, y_te):.3f} on test digits")
