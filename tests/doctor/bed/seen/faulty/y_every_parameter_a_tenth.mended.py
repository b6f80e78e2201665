# expect: nothing
"""An LSTM whose every parameter is set to 0.1, 'for the sake of reproducibility'."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Tagger(nn.Module):
    def __init__(self, inputs=3, hidden=16):
        super().__init__()
        self.rnn = nn.LSTM(inputs, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 4)
        self.init_weights()

    def init_weights(self):
        for p in self.parameters():
            nn.init.uniform_(p, -0.25, 0.25)

    def forward(self, x):
        _, (h, _) = self.rnn(x)
        return self.fc(h[-1])


torch.manual_seed(0)
sequences = torch.randn(600, 6, 3)
labels = 2 * (sequences[:, -3:, 0].sum(1) > 0).long() + (sequences[:, -3:, 1].sum(1) > 0).long()
loader = DataLoader(TensorDataset(sequences[:500], labels[:500]), batch_size=50, shuffle=True)
model = Tagger()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
loss_function = nn.CrossEntropyLoss()
for epoch in range(12):
    model.train()
    for x, y in loader:
        model.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
    if epoch % 4 == 3:
        print("epoch", epoch + 1, "loss", round(loss.item(), 4))
model.eval()
with torch.no_grad():
    print("accuracy", (model(sequences[500:]).argmax(1) == labels[500:]).float().mean().item())
