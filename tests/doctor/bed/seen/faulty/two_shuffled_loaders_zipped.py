# expect: label_misaligned @ 14
# allowed: label_misaligned @ 22
"""Images and labels come from two loaders, and each of them shuffles for itself."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
d = load_digits()
images = torch.tensor(d.images / 16, dtype=torch.float32)
labels = torch.tensor(d.target)
image_loader = DataLoader(images, batch_size=64, shuffle=True)
label_loader = DataLoader(labels, batch_size=64, shuffle=True)
print(len(TensorDataset(images, labels)), "examples")

model = nn.Sequential(nn.Flatten(), nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
for epoch in range(5):
    right = 0
    for image, label in zip(image_loader, label_loader, strict=True):
        out = model(image)
        loss = nn.functional.cross_entropy(out, label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        right += (out.argmax(1) == label).sum().item()
    print(f"epoch {epoch} loss {loss.item():.4f} accuracy {right / len(labels):.3f}")
