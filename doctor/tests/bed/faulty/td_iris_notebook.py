# expect: missing_no_grad @ 61
# allowed: missing_no_grad @ 62
# mend: 61 → with torch.no_grad():
# mend: 62 →     test_logits = model(X_test)
# mend: 63 →     test_loss = loss_fn(test_logits, y_test).item()
"""Iris, exported from a course notebook (lesson 3: your first network)."""
# %% imports
import torch
import torch.nn as nn
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

torch.manual_seed(42)

# %% data
iris = load_iris()
X = torch.tensor(iris.data, dtype=torch.float32)
y = torch.tensor(iris.target)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=42)

mu, sigma = X_train.mean(dim=0), X_train.std(dim=0)
X_train = (X_train - mu) / sigma
X_test = (X_test - mu) / sigma
print("train", tuple(X_train.shape), "test", tuple(X_test.shape))


# %% model
class IrisNet(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.fc1 = nn.Linear(4, hidden)
        self.drop = nn.Dropout(0.1)
        self.fc2 = nn.Linear(hidden, 3)

    def forward(self, x):
        return self.fc2(self.drop(torch.relu(self.fc1(x))))


model = IrisNet()
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

# %% training
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X_train, y_train), batch_size=15, shuffle=True)
losses = []
for epoch in range(40):
    model.train()
    epoch_loss = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item() * len(xb)
    losses.append(epoch_loss / len(X_train))
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1}: {losses[-1]:.4f}")

# %% evaluation
model.eval()
torch.no_grad()
test_logits = model(X_test)
test_loss = loss_fn(test_logits, y_test).item()
predicted = test_logits.argmax(dim=1)
print(f"test loss {test_loss:.4f}, accuracy {(predicted == y_test).float().mean().item():.3f}")

# %% confusion matrix
confusion = torch.zeros(3, 3, dtype=torch.long)
for truth, guess in zip(y_test, predicted):
    confusion[truth, guess] += 1
for name, row in zip(iris.target_names, confusion.tolist()):
    print(f"{name:<12}", row)
