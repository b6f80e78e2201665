# expect: missing_eval @ 45
"""Stacked LSTM with dropout between its layers; the last part of the series is forecast at the end."""

import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(5)
torch.manual_seed(5)
n, seq_length = 420, 12
months = np.arange(n)
passengers = 0.01 * months + np.sin(2 * np.pi * months / 12) + rng.normal(0, 0.05, n)
train_size = int(n * 0.75)
low, high = passengers[:train_size].min(), passengers[:train_size].max()
scaled = torch.tensor((passengers - low) / (high - low) * 2 - 1, dtype=torch.float32)
windows = scaled.unfold(0, seq_length + 1, 1)
x, y = windows[:, :-1].unsqueeze(-1), windows[:, -1:]
cut = train_size - seq_length


class LSTM(nn.Module):
    def __init__(self, hidden_size=24, num_layers=2):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden_size, num_layers, batch_first=True, dropout=0.4)
        self.fc = nn.Linear(hidden_size, 1)

    def forward(self, x):
        _, (h_out, _) = self.lstm(x)
        return self.fc(h_out[-1])


lstm = LSTM()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(lstm.parameters(), lr=0.01)
for epoch in range(50):
    outputs = lstm(x[:cut])
    optimizer.zero_grad()
    loss = criterion(outputs, y[:cut])
    loss.backward()
    optimizer.step()
    if epoch % 10 == 0:
        print(f"Epoch: {epoch}, loss: {loss.item():1.5f}")

with torch.no_grad():
    forecast = lstm(x[cut:])
rmse = ((forecast - y[cut:]).pow(2).mean().sqrt() * (high - low) / 2).item()
print(f"test rmse {rmse:.4f} passengers")
