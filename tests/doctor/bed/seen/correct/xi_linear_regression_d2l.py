# expect: nothing
# Dive-into-Deep-Learning style: linear regression, concise
import torch
from torch import nn
from torch.utils import data

torch.manual_seed(0)


def synthetic_data(w, b, num_examples):
    X = torch.normal(0, 1, (num_examples, len(w)))
    y = X @ w + b
    y += torch.normal(0, 0.01, y.shape)
    return X, y.reshape((-1, 1))


true_w, true_b = torch.tensor([2.0, -3.4]), 4.2
features, labels = synthetic_data(true_w, true_b, 1000)
test_features, test_labels = synthetic_data(true_w, true_b, 200)
data_iter = data.DataLoader(data.TensorDataset(features, labels), 10, shuffle=True)

net = nn.Sequential(nn.Linear(2, 1))
net[0].weight.data.normal_(0, 0.01)
net[0].bias.data.fill_(0)
loss = nn.MSELoss()
trainer = torch.optim.SGD(net.parameters(), lr=0.03)

for epoch in range(3):
    net.train()
    total, count = 0.0, 0
    for X, y in data_iter:
        l = loss(net(X), y)
        trainer.zero_grad()
        l.backward()
        trainer.step()
        total += l.item() * len(y)
        count += len(y)
    print(f"epoch {epoch + 1}, train loss {total / count:.6f}")

net.eval()
with torch.no_grad():
    print(f"test loss {loss(net(test_features), test_labels).item():.6f}")
print("error in w:", true_w - net[0].weight.detach().reshape(true_w.shape))
