# expect: nothing
# looks suspicious: log_softmax is applied twice (in the model and within CrossEntropyLoss): harmless, as
# the second changes nothing.
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(13, 32)
        self.fc2 = nn.Linear(32, 3)
        self.logsoftmax = nn.LogSoftmax(dim=1)

    def forward(self, x):
        return self.logsoftmax(self.fc2(torch.relu(self.fc1(x))))


X, y = load_wine(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
scaler = StandardScaler().fit(X_train)
train = TensorDataset(torch.FloatTensor(scaler.transform(X_train)), torch.LongTensor(y_train))
val = TensorDataset(torch.FloatTensor(scaler.transform(X_val)), torch.LongTensor(y_val))

net = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(10):
    net.train()
    epoch_loss = 0.0
    for inputs, labels in DataLoader(train, batch_size=16, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(net(inputs), labels)
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item() * len(inputs)
    net.eval()
    with torch.no_grad():
        inputs, labels = val.tensors
        hits = (net(inputs).argmax(1) == labels).float().mean().item()
    if epoch % 3 == 0:
        print(f"epoch {epoch} train loss {epoch_loss / len(train):.4f} val acc {hits:.4f}")
