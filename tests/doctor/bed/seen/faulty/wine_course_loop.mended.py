# expect: nothing
# mends: wine_course_loop.py
"""Wine, two columns, full batch, 200 iterations of plain gradient descent."""

import torch
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from torch import nn, optim

torch.manual_seed(42)
wine = load_wine()
data = wine.data[:, [0, 9]]
targets = wine.target

scaler = StandardScaler()
data = scaler.fit_transform(data)


class WineClassifier(nn.Module):
    def __init__(self, input_size, hidden_size, out_size):
        super().__init__()
        self.hidden = nn.Linear(input_size, hidden_size)
        self.relu = nn.ReLU()
        self.out = nn.Linear(hidden_size, out_size)
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, X):
        feature = self.relu(self.hidden(X))
        return self.out(feature)


device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
net = WineClassifier(data.shape[1], 32, 3).to(device)
criterion = nn.CrossEntropyLoss().to(device)
optimizer = optim.SGD(net.parameters(), lr=0.1)

X = torch.FloatTensor(data).to(device)
Y = torch.LongTensor(targets).to(device)

for i in range(200):
    pred = net(X)
    loss = criterion(pred, Y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if i % 10 == 0:
        acc = (pred.argmax(dim=1) == Y).float().mean().item()
        print(f"iteration {i:3d} loss {loss.item():.4f} accuracy {acc:.2f}")
