# expect: nothing
# Transfer learning with a frozen feature extractor, phases "train" and "val".
import copy
import time

import torch
import torch.nn as nn
import torch.optim as optim
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(12)

digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16.0
labels = torch.tensor(digits.target)

is_source = labels < 6
src_x, src_y = images[is_source], labels[is_source]
tgt_x, tgt_y = images[~is_source], labels[~is_source] - 6

x_fit, x_test, y_fit, y_test = train_test_split(
    tgt_x, tgt_y, test_size=0.3, stratify=tgt_y, random_state=12)
x_train, x_val, y_train, y_val = train_test_split(
    x_fit, y_fit, test_size=0.25, stratify=y_fit, random_state=12)

datasets = {"train": TensorDataset(x_train, y_train), "val": TensorDataset(x_val, y_val)}
dataloaders = {p: DataLoader(datasets[p], batch_size=16, shuffle=(p == "train"))
               for p in ["train", "val"]}
dataset_sizes = {p: len(datasets[p]) for p in ["train", "val"]}


class SmallConvNet(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 24, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(),
        )
        self.fc = nn.Linear(24 * 16, num_classes)

    def forward(self, x):
        return self.fc(self.features(x))


def pretrain(num_epochs=5):
    net = SmallConvNet(6)
    optimizer = optim.Adam(net.parameters(), lr=2e-3)
    loader = DataLoader(TensorDataset(src_x, src_y), batch_size=32, shuffle=True)
    for _ in range(num_epochs):
        for xb, yb in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(xb), yb).backward()
            optimizer.step()
    return net


def train_model(model, criterion, optimizer, scheduler, num_epochs=12):
    since = time.time()
    best_model_wts = copy.deepcopy(model.state_dict())
    best_acc = 0.0
    for epoch in range(num_epochs):
        for phase in ["train", "val"]:
            if phase == "train":
                model.train()
            else:
                model.eval()
            running_loss, running_corrects = 0.0, 0
            for inputs, targets in dataloaders[phase]:
                optimizer.zero_grad()
                with torch.set_grad_enabled(phase == "train"):
                    outputs = model(inputs)
                    _, preds = torch.max(outputs, 1)
                    loss = criterion(outputs, targets)
                    if phase == "train":
                        loss.backward()
                        optimizer.step()
                running_loss += loss.item() * inputs.size(0)
                running_corrects += torch.sum(preds == targets).item()
            if phase == "train":
                scheduler.step()
            epoch_loss = running_loss / dataset_sizes[phase]
            epoch_acc = running_corrects / dataset_sizes[phase]
            print(f"epoch {epoch} {phase} Loss: {epoch_loss:.4f} Acc: {epoch_acc:.4f}")
            if phase == "val" and epoch_acc > best_acc:
                best_acc = epoch_acc
                best_model_wts = copy.deepcopy(model.state_dict())
    print(f"Training complete in {time.time() - since:.1f}s, best val Acc: {best_acc:.4f}")
    model.load_state_dict(best_model_wts)
    return model


model_conv = pretrain()
for param in model_conv.parameters():
    param.requires_grad = False
model_conv.fc = nn.Linear(model_conv.fc.in_features, 4)

optimizer_conv = optim.SGD(model_conv.fc.parameters(), lr=0.005, momentum=0.9)
exp_lr_scheduler = lr_scheduler.StepLR(optimizer_conv, step_size=6, gamma=0.3)
model_conv = train_model(model_conv, nn.CrossEntropyLoss(), optimizer_conv, exp_lr_scheduler)

model_conv.eval()
with torch.no_grad():
    test_acc = (model_conv(x_test).argmax(1) == y_test).float().mean().item()
print(f"held-out test Acc: {test_acc:.4f}")
