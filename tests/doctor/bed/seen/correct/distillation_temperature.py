# expect: nothing
# looks suspicious: softmax and log_softmax of logits stand right beside cross_entropy: knowledge
# distillation; the teacher answers in eval mode under no_grad and its answer enters the loss.
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X / 16.0, y, test_size=0.2, random_state=5)
train_loader = DataLoader(
    TensorDataset(torch.tensor(Xtr).float(), torch.tensor(ytr)), batch_size=64, shuffle=True
)
test_loader = DataLoader(TensorDataset(torch.tensor(Xte).float(), torch.tensor(yte)), batch_size=256)

teacher = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10))
student = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))


def test(net):
    net.eval()
    correct = 0
    with torch.no_grad():
        for inputs, labels in test_loader:
            correct += (net(inputs).argmax(1) == labels).sum().item()
    return correct / len(test_loader.dataset)


def train_teacher(epochs):
    optimizer = torch.optim.Adam(teacher.parameters(), lr=5e-3)
    teacher.train()
    for _ in range(epochs):
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(teacher(inputs), labels)
            loss.backward()
            optimizer.step()
    return loss.item()


def train_student(epochs, T=2.0, soft=0.5):
    optimizer = torch.optim.Adam(student.parameters(), lr=1e-2)
    teacher.eval()
    student.train()
    for epoch in range(epochs):
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            with torch.no_grad():
                teacher_logits = teacher(inputs)
            student_logits = student(inputs)
            soft_targets = F.softmax(teacher_logits / T, dim=-1)
            soft_prob = F.log_softmax(student_logits / T, dim=-1)
            kd = F.kl_div(soft_prob, soft_targets, reduction="batchmean") * T**2
            loss = soft * kd + (1 - soft) * F.cross_entropy(student_logits, labels)
            loss.backward()
            optimizer.step()
        print(f"student epoch {epoch} loss {loss.item():.4f}")


print("teacher loss", train_teacher(5), "accuracy", test(teacher))
train_student(6)
print("student accuracy", test(student))
