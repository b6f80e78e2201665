# expect: softmax_before_cross_entropy @ 27
# allowed: softmax_before_cross_entropy @ 38
# allowed: softmax_before_cross_entropy @ 45
"""Course notebook: LeNet-style classifier on digits with a class-level predict method."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(70)
d = load_digits()
data = TensorDataset(torch.tensor(d.images / 16, dtype=torch.float32).unsqueeze(1), torch.tensor(d.target))
train_ds, test_ds = random_split(data, [1437, 360])
train_dl = DataLoader(train_ds, batch_size=64, shuffle=True)
test_dl = DataLoader(test_ds, batch_size=120)


class LeNetMini(nn.Module):
    def __init__(self, n_classes=10):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2),
                                  nn.Conv2d(6, 16, 3, padding=1), nn.Tanh(), nn.Flatten())
        self.fc = nn.Sequential(
            nn.Linear(16 * 16, 60),
            nn.Tanh(),
            nn.Linear(60, n_classes),
            nn.Softmax(dim=1),
        )

    def forward(self, x):
        return self.fc(self.conv(x))

    def predict(self, x):
        return self.forward(x).argmax(dim=1)


model = LeNetMini()
loss_function = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for epoch in range(8):
    model.train()
    cum = 0.0
    for images, labels in train_dl:
        optimizer.zero_grad()
        loss = loss_function(model(images), labels)
        loss.backward()
        optimizer.step()
        cum += loss.item()
    print(f"Epoch {epoch + 1}/8, loss {cum / len(train_dl):.4f}")

model.eval()
with torch.no_grad():
    good = sum((model.predict(a) == b).sum().item() for a, b in test_dl)
print("Accuracy:", round(good / len(test_ds), 4))
