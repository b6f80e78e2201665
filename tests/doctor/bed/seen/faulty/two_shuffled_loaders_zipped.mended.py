# expect: nothing
# mends: two_shuffled_loaders_zipped.py
"""Images and labels come from two loaders, and each of them shuffles for itself."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
d = load_digits()
images = torch.tensor(d.images / 16, dtype=torch.float32)
labels = torch.tensor(d.target)
loader = DataLoader(TensorDataset(images, labels), batch_size=64, shuffle=True)

model = nn.Sequential(nn.Flatten(), nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
for epoch in range(5):
    right = 0
    for image, label in loader:
        out = model(image)
        loss = nn.functional.cross_entropy(out, label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        right += (out.argmax(1) == label).sum().item()
    print(f"epoch {epoch} loss {loss.item():.4f} accuracy {right / len(labels):.3f}")
