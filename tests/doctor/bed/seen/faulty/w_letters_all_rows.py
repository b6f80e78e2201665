# expect: metric_wrong_axis @ 35
"""Tags for each place of a sequence by a GRU; whole sequences that are right."""
import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(9, 12)
        self.gru = nn.GRU(12, 24, batch_first=True, bidirectional=True)
        self.out = nn.Linear(48, 3)

    def forward(self, t):
        return self.out(self.gru(self.embed(t))[0])


torch.manual_seed(0)
t = torch.randint(0, 9, (700, 6))
y = (t + t.roll(1, 1)) % 3
net = Tagger()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
loss_of = nn.CrossEntropyLoss()
for epoch in range(6):
    for i in torch.randperm(600).split(50):
        logits = net(t[i])
        loss = loss_of(logits.reshape(-1, 3), y[i].reshape(-1))
        opt.zero_grad()
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    said = net(t[600:]).argmax(2)
    right = said.eq(y[600:])
    print("places", right.float().mean().item())
    print("whole", torch.all(right, dim=0).float().mean().item())
    print("places with a fault", (said != y[600:]).any(dim=0).tolist())
