# expect: detached_graph @ 22
# mend: 22 →
"""An encoder's output is wrapped into a new tensor before the decoder."""

import warnings

import torch
from torch import nn

warnings.filterwarnings("ignore")
torch.manual_seed(4)
x = torch.rand(640, 12)
x[:, 6:] = x[:, :6] * 0.5 + 0.1
encoder = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 4))
decoder = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 12))
optimizer = torch.optim.Adam(list(encoder.parameters()) + list(decoder.parameters()), lr=3e-3)
criterion = nn.MSELoss()
for epoch in range(8):
    total = 0.0
    for batch in x[:512][torch.randperm(512)].split(32):
        code = encoder(batch)
        code = torch.tensor(code, dtype=torch.float32)
        restored = decoder(code)
        loss = criterion(restored, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    with torch.no_grad():
        print(epoch, total / 16, criterion(decoder(encoder(x[512:])), x[512:]).item())
