# expect: nothing
"""Question from a forum: my digit classifier (plain tensors, manual mini-batches) will not learn."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(123)
digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
labels = torch.tensor(digits.target, dtype=torch.long)

perm = torch.randperm(len(images))
images, labels = images[perm], labels[perm]
train_x, train_y = images[:1400], labels[:1400]
test_x, test_y = images[1400:], labels[1400:]

model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Dropout(0.2), nn.Linear(16 * 16, 10),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
batch_size = 50


def shuffled(x, y):
    idx = torch.randperm(len(x))
    x, y = x[idx], y[idx]
    return x, y


for epoch in range(10):
    model.train()
    train_x, train_y = shuffled(train_x, train_y)
    total_loss, total_right = 0.0, 0
    for start in range(0, len(train_x), batch_size):
        xb = train_x[start:start + batch_size]
        yb = train_y[start:start + batch_size]
        optimizer.zero_grad()
        out = model(xb)
        loss = criterion(out, yb)
        loss.backward()
        optimizer.step()
        total_loss += loss.item() * len(xb)
        total_right += (out.argmax(1) == yb).sum().item()
    print(f"epoch {epoch + 1}: loss {total_loss / len(train_x):.4f} acc {total_right / len(train_x):.3f}")

model.eval()
with torch.no_grad():
    acc = (model(test_x).argmax(1) == test_y).float().mean()
print(f"Test accuracy {acc:.3f}")
