# expect: graph_kept_alive @ 47
"""CNN on tiny pictures in the style of the official CIFAR tutorial."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

torch.manual_seed(0)
prototypes = torch.randn(6, 3, 12, 12)
classes = torch.randint(0, 6, (800,))
data = prototypes[classes] + 1.5 * torch.randn(800, 3, 12, 12)
trainset = torch.utils.data.TensorDataset(data[:600], classes[:600])
testset = torch.utils.data.TensorDataset(data[600:], classes[600:])
trainloader = torch.utils.data.DataLoader(trainset, batch_size=20, shuffle=True)
testloader = torch.utils.data.DataLoader(testset, batch_size=50, shuffle=False)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 12, 2)
        self.fc1 = nn.Linear(12 * 2 * 2, 32)
        self.fc2 = nn.Linear(32, 6)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        return self.fc2(F.relu(self.fc1(x)))


net = Net()
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

running_loss = 0.0
for epoch in range(3):
    for _i, (inputs, labels) in enumerate(trainloader):
        optimizer.zero_grad()
        outputs = net(inputs)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        running_loss += loss
    print(f"[{epoch + 1}] loss: {running_loss / ((epoch + 1) * len(trainloader)):.3f}")
print("Finished Training")

correct = total = 0
net.eval()
with torch.no_grad():
    for images, labels in testloader:
        predicted = torch.max(net(images).data, 1)[1]
        total += labels.size(0)
        correct += (predicted == labels).sum().item()
print(f"Accuracy: {100 * correct // total} %")
