# expect: nothing
"""pandas shuffles the features; the labels come from the frame as it was."""

import torch
from sklearn.datasets import load_iris
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
iris = load_iris(as_frame=True).frame
features = iris.drop(columns="target").sample(frac=1.0, random_state=2)
labels = iris["target"].sample(frac=1.0, random_state=2)

X = torch.tensor(features.values, dtype=torch.float32)
y = torch.tensor(labels.values, dtype=torch.long)
X_train, X_test, y_train, y_test = X[:110], X[110:], y[:110], y[110:]
mean, std = X_train.mean(0), X_train.std(0)
train_loader = DataLoader(TensorDataset((X_train - mean) / std, y_train), batch_size=11, shuffle=True)


class Classifier(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.layer1 = nn.Linear(4, hidden)
        self.layer2 = nn.Linear(hidden, 3)

    def forward(self, x):
        return self.layer2(nn.functional.relu(self.layer1(x)))


model = Classifier()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(15):
    model.train()
    for inputs, targets in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} loss {loss.item():.3f}")
model.eval()
with torch.no_grad():
    accuracy = (model((X_test - mean) / std).argmax(1) == y_test).float().mean()
print(f"test accuracy {accuracy:.3f}")
