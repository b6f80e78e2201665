# expect: nothing
# looks suspicious: equal rows are in training and test: a survey of six yes-or-no questions has 64
# different rows only, the people were split, each with a label of their own.
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
people = 1500
answers = torch.randint(0, 2, (people, 6)).float()
score = answers @ torch.tensor([1.2, -0.8, 0.5, 0.9, -1.0, 0.2]) - 0.5 + 1.5 * answers[:, 0] * answers[:, 4]
voted = torch.bernoulli(torch.sigmoid(2 * score))
dataset = TensorDataset(answers, voted)
train_set, test_set = random_split(dataset, [1200, 300])
train_loader = DataLoader(train_set, batch_size=50, shuffle=True)
test_loader = DataLoader(test_set, batch_size=300)


class SurveyNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(6, 16)
        self.out = nn.Linear(16, 1)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x))).squeeze(-1)


net = SurveyNet()
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(8):
    net.train()
    total = 0.0
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
    net.eval()
    with torch.no_grad():
        x, y = next(iter(test_loader))
        z = net(x)
    accuracy = ((z > 0) == y.bool()).float().mean()
    print(f"epoch {epoch} train {total / 1200:.4f} test {criterion(z, y):.4f} accuracy {accuracy:.3f}")
