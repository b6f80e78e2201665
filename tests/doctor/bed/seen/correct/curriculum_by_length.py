# expect: nothing
# looks suspicious: rows are sorted and the order is not shuffled at first: sorted by length (not by label)
# for little padding, and batches, not rows, are shuffled.
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence, pad_sequence

torch.manual_seed(0)
gen = torch.Generator().manual_seed(7)
sequences, labels = [], []
for _ in range(700):
    n = int(torch.randint(3, 15, (), generator=gen))
    s = torch.randn(n, 3, generator=gen)
    sequences.append(s)
    labels.append(int(s[:, 0].sum() > s[:, 1].sum()))
labels = torch.tensor(labels)
train, test = list(range(600)), list(range(600, 700))
train.sort(key=lambda i: len(sequences[i]))
batches = [train[i : i + 30] for i in range(0, 600, 30)]
padded = pad_sequence([sequences[i] for i in train])
print("padded tensor of all rows", tuple(padded.shape), "class shares", labels.float().mean().item())


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 24)
        self.fc = nn.Linear(24, 2)

    def forward(self, packed):
        return self.fc(self.gru(packed)[1].squeeze(0))


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(5):
    order = range(20) if epoch == 0 else torch.randperm(20, generator=gen).tolist()
    total = 0.0
    for k in order:
        packed = pack_sequence([sequences[i] for i in batches[k]], enforce_sorted=False)
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(packed), labels[batches[k]])
        loss.backward()
        opt.step()
        total += loss.item() / 20
    print(f"epoch {epoch} loss {total:.4f}")
net.eval()
with torch.no_grad():
    guess = net(pack_sequence([sequences[i] for i in test], enforce_sorted=False)).argmax(1)
print("accuracy", (guess == labels[test]).float().mean().item())
