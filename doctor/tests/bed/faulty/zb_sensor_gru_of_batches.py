# expect: sequence_wrong_axis @ 20
# mend: 20 →         self.gru = nn.GRU(input_size=3, hidden_size=12, batch_first=True)
"""Ten readings of three sensors: which machine runs hot?"""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
readings = torch.randn(240, 10, 3)
hot = (readings[:, :, 0].mean(1) > 0).long()
train = DataLoader(TensorDataset(readings[:180], hot[:180]), batch_size=30, shuffle=True)
test = DataLoader(TensorDataset(readings[180:], hot[180:]), batch_size=30)


class Machine(nn.Module):
    def __init__(self):
        super().__init__()
        # one state of twelve numbers goes along with the readings
        self.gru = nn.GRU(input_size=3, hidden_size=12)
        self.head = nn.Linear(12, 2)

    def forward(self, batch):
        states, _ = self.gru(batch)
        return self.head(states.mean(dim=1))


machine = Machine()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(machine.parameters(), lr=0.01)
for epoch in range(12):
    machine.train()
    for batch, labels in train:
        optimizer.zero_grad()
        loss = criterion(machine(batch), labels)
        loss.backward()
        optimizer.step()
machine.eval()
right = 0
with torch.no_grad():
    for batch, labels in test:
        right += (machine(batch).argmax(1) == labels).sum().item()
print(f"accuracy {right / 60:.3f}")
