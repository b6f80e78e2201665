# expect: sigmoid_before_bce_with_logits @ 34
# mend: 34 →         return self.layer_out(x)
# mend: 53 →         acc = ((model(xv) > 0).float() == yv).float().mean().item()
"""Binary classification of tumours; the net gives probabilities, the loss wants logits."""

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.3, random_state=3, stratify=y)
scaler = StandardScaler()
X_train, X_val = scaler.fit_transform(X_train), scaler.transform(X_val)


def tensors(x, t):
    return torch.tensor(x, dtype=torch.float32), torch.tensor(t, dtype=torch.float32).view(-1, 1)


class BinaryClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer_1 = nn.Linear(30, 32)
        self.layer_out = nn.Linear(32, 1)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(p=0.1)

    def forward(self, inputs):
        x = self.dropout(self.relu(self.layer_1(inputs)))
        return torch.sigmoid(self.layer_out(x))


model = BinaryClassifier()
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
loader = DataLoader(TensorDataset(*tensors(X_train, y_train)), batch_size=64, shuffle=True)
xv, yv = tensors(X_val, y_val)
for e in range(1, 9):
    model.train()
    epoch_loss = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()
    model.eval()
    with torch.no_grad():
        acc = ((model(xv) > 0.5).float() == yv).float().mean().item()
    print(f"Epoch {e:02}: | Loss: {epoch_loss / len(loader):.5f} | Val acc: {acc:.3f}")
