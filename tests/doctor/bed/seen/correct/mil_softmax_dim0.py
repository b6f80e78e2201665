# expect: nothing
# looks suspicious: softmax over dim 0: a bag of instances has no batch axis here, the attention weights of
# its rows sum to one (multiple-instance learning); batches hold a single bag and nothing normalises over
# batches.
import torch
from torch import nn

torch.manual_seed(0)


class GatedAttention(nn.Module):
    def __init__(self, inputs, hidden=24):
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU())
        self.V = nn.Linear(hidden, hidden)
        self.U = nn.Linear(hidden, hidden)
        self.w = nn.Linear(hidden, 1)
        self.head = nn.Linear(hidden, 1)

    def forward(self, bag):
        h = self.embed(bag)
        a = self.w(torch.tanh(self.V(h)) * torch.sigmoid(self.U(h)))
        a = torch.softmax(a, dim=0)
        return self.head((a * h).sum(0)), a


def make_bag():
    n = int(torch.randint(3, 10, ()))
    bag = torch.randn(n, 4)
    positive = torch.rand(()) < 0.5
    if positive:
        bag[torch.randint(n, ())] += torch.tensor([3.0, -3.0, 0.0, 0.0])
    return bag, positive.float().view(1)


train, test = [make_bag() for _ in range(200)], [make_bag() for _ in range(80)]
model = GatedAttention(4)
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
loss_fn = nn.BCEWithLogitsLoss()
for epoch in range(3):
    total = 0.0
    for i in torch.randperm(len(train)).tolist():
        bag, label = train[i]
        opt.zero_grad()
        logit, _ = model(bag)
        loss = loss_fn(logit, label)
        loss.backward()
        opt.step()
        total += loss.item()
    print(f"epoch {epoch} loss {total / len(train):.4f}")
with torch.no_grad():
    right = sum(((model(bag)[0] > 0).float() == label).item() for bag, label in test)
print("bag accuracy", right / len(test))
