# expect: metric_wrong_axis @ 33
# mend: 33 →     return (y_pred_tag.squeeze(1) == y_test).float().mean() * 100
"""Outputs [N, 1] are compared with labels [N]: the figure is the mean of an N by N table."""

import torch
from sklearn.datasets import load_breast_cancer
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
bc = load_breast_cancer()
features, labels = torch.tensor(bc.data).float(), torch.tensor(bc.target).float()
parts = random_split(range(len(features)), [450, 119])
train_rows, test_rows = (torch.tensor(list(p)) for p in parts)
centre, spread = features[train_rows].mean(0), features[train_rows].std(0)
features = (features - centre) / spread
trainloader = DataLoader(TensorDataset(features[train_rows], labels[train_rows]), batch_size=30, shuffle=True)
testloader = DataLoader(TensorDataset(features[test_rows], labels[test_rows]), batch_size=40)


class BinaryClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer_1 = nn.Linear(30, 32)
        self.layer_out = nn.Linear(32, 1)

    def forward(self, inputs):
        return self.layer_out(torch.relu(self.layer_1(inputs)))


def binary_acc(y_pred, y_test):
    y_pred_tag = torch.round(torch.sigmoid(y_pred))
    return (y_pred_tag == y_test).float().mean() * 100


model = BinaryClassifier()
criterion = nn.BCEWithLogitsLoss()
optimizer = optim.Adam(model.parameters(), lr=2e-3)
for e in range(1, 6):
    model.train()
    epoch_loss = 0.0
    for X_batch, y_batch in trainloader:
        optimizer.zero_grad()
        loss = criterion(model(X_batch), y_batch.unsqueeze(1))
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()
    model.eval()
    with torch.no_grad():
        accs = [binary_acc(model(X_batch), y_batch).item() for X_batch, y_batch in testloader]
    print(f"Epoch {e:02}: | Loss: {epoch_loss / len(trainloader):.5f} | Acc: {sum(accs) / len(accs):.2f}")
