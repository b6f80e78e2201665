# expect: nothing
# Knowledge distillation, tutorial style: a deep net teaches a light one.
import torch
import torch.nn as nn
import torch.optim as optim
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


class DeepNN(nn.Module):
    def __init__(self, num_classes=10):
        super(DeepNN, self).__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=2, stride=2),
        )
        self.classifier = nn.Sequential(
            nn.Linear(512, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, num_classes)
        )

    def forward(self, x):
        x = self.features(x)
        x = torch.flatten(x, 1)
        return self.classifier(x)


class LightNN(nn.Module):
    def __init__(self, num_classes=10):
        super(LightNN, self).__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 4, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=2, stride=2),
        )
        self.classifier = nn.Linear(64, num_classes)

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


def train(model, train_loader, epochs, learning_rate):
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=learning_rate)
    model.train()
    for epoch in range(epochs):
        running_loss = 0.0
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            outputs = model(inputs)
            loss = criterion(outputs, labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
    print(f"final epoch loss: {running_loss / len(train_loader):.4f}")


def train_knowledge_distillation(teacher, student, train_loader, epochs, learning_rate,
                                 T, soft_target_loss_weight, ce_loss_weight):
    ce_loss = nn.CrossEntropyLoss()
    optimizer = optim.Adam(student.parameters(), lr=learning_rate)
    teacher.eval()
    student.train()
    for epoch in range(epochs):
        running_loss = 0.0
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            with torch.no_grad():
                teacher_logits = teacher(inputs)
            student_logits = student(inputs)
            soft_targets = nn.functional.log_softmax(teacher_logits / T, dim=-1)
            soft_prob = nn.functional.log_softmax(student_logits / T, dim=-1)
            soft_targets_loss = (
                torch.sum(soft_targets.exp() * (soft_targets - soft_prob)) / soft_prob.size(0) * T ** 2
            )
            label_loss = ce_loss(student_logits, labels)
            loss = soft_target_loss_weight * soft_targets_loss + ce_loss_weight * label_loss
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
    print(f"final epoch loss: {running_loss / len(train_loader):.4f}")


def test(model, test_loader):
    model.eval()
    correct, total = 0, 0
    with torch.no_grad():
        for inputs, labels in test_loader:
            _, predicted = torch.max(model(inputs), 1)
            total += labels.size(0)
            correct += (predicted == labels).sum().item()
    return 100 * correct / total


digits = load_digits()
x = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16.0
y = torch.tensor(digits.target)
x_train, x_test, y_train, y_test = train_test_split(
    x, y, test_size=0.3, stratify=digits.target, random_state=0)
train_loader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)
test_loader = DataLoader(TensorDataset(x_test, y_test), batch_size=128)

torch.manual_seed(42)
nn_deep = DeepNN()
train(nn_deep, train_loader, epochs=8, learning_rate=0.003)
acc_deep = test(nn_deep, test_loader)

torch.manual_seed(42)
nn_light = LightNN()
torch.manual_seed(42)
new_nn_light = LightNN()
train(nn_light, train_loader, epochs=15, learning_rate=0.01)
acc_light_ce = test(nn_light, test_loader)
train_knowledge_distillation(nn_deep, new_nn_light, train_loader, epochs=15, learning_rate=0.01,
                             T=2, soft_target_loss_weight=0.25, ce_loss_weight=0.75)
acc_light_kd = test(new_nn_light, test_loader)

print(f"Teacher accuracy: {acc_deep:.2f}%")
print(f"Student accuracy without teacher: {acc_light_ce:.2f}%")
print(f"Student accuracy with CE + KD: {acc_light_kd:.2f}%")
