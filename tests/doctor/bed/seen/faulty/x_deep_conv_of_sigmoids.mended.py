# expect: nothing
"""Ten convolutions with a squashing function after each, built from a loop."""

from collections import OrderedDict

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(2)
digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1)
images = (images - images.mean()) / images.std()
train_loader = DataLoader(TensorDataset(images, torch.tensor(digits.target)), batch_size=100, shuffle=True)


def conv_stack(depth, channels):
    layers = OrderedDict()
    for i in range(depth):
        layers[f"conv{i}"] = nn.Conv2d(1 if i == 0 else channels, channels, 3, padding=1)
        layers[f"act{i}"] = nn.ReLU()
        if i == 4:
            layers["pool"] = nn.MaxPool2d(2)
    layers["flatten"] = nn.Flatten()
    layers["fc"] = nn.Linear(channels * 16, 10)
    net = nn.Sequential(layers)
    for m in net.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight)
    return net


model = conv_stack(10, 6)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)

for epoch in range(3):
    correct, total_loss = 0, 0.0
    for inputs, labels in train_loader:
        optimizer.zero_grad()
        outputs = model(inputs)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        correct += (outputs.argmax(1) == labels).sum().item()
        total_loss += loss.item()
    print(f"epoch {epoch + 1}: loss {total_loss / len(train_loader):.4f} acc {correct / len(images):.3f}")
