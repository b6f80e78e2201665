# expect: nothing

import numpy as np
import torch
import torch.nn as nn

np.random.seed(2)
torch.manual_seed(2)

T, L, N = 12, 60, 48
shift = np.random.randint(-4 * T, 4 * T, N).reshape(N, 1)
x = np.arange(L) + shift
data = torch.from_numpy(np.sin(x / 1.0 / T * 4).astype("float32"))
train_input, train_target = data[8:, :-1], data[8:, 1:]
test_input, test_target = data[:8, :-1], data[:8, 1:]


class Sequence(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.hidden = hidden
        self.lstm1 = nn.LSTMCell(1, hidden)
        self.linear = nn.Linear(hidden, 1)

    def forward(self, input, future=0):
        outputs = []
        h = torch.zeros(input.size(0), self.hidden)
        c = torch.zeros(input.size(0), self.hidden)
        for input_t in input.split(1, dim=1):
            h, c = self.lstm1(input_t, (h, c))
            output = self.linear(h)
            outputs.append(output)
        for _ in range(future):
            h, c = self.lstm1(output, (h, c))
            output = self.linear(h)
            outputs.append(output)
        return torch.cat(outputs, dim=1)


seq = Sequence()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(seq.parameters(), lr=0.02)

for i in range(80):
    seq.train()
    optimizer.zero_grad()
    loss = criterion(seq(train_input), train_target)
    loss.backward()
    nn.utils.clip_grad_norm_(seq.parameters(), 1.0)
    optimizer.step()
    if i % 20 == 19:
        seq.eval()
        with torch.no_grad():
            pred = seq(test_input)
            print(f"STEP {i + 1}: loss {loss.item():.5f}, test loss {criterion(pred, test_target).item():.5f}")

seq.eval()
with torch.no_grad():
    rolled = seq(test_input[:, :40], future=19)
print("rollout mse:", round(criterion(rolled[:, 40:], test_target[:, 40:]).item(), 5))
