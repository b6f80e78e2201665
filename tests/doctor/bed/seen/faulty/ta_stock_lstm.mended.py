# expect: nothing
"""LSTM on the daily spread of two share prices, in the manner of the well-known notebooks."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.preprocessing import MinMaxScaler

np.random.seed(3)
torch.manual_seed(3)

# ---------------------------------------------------------------- the series
days = 2000
shock = np.random.standard_t(df=6, size=days)
spread = np.zeros(days)
for day in range(2, days):
    spread[day] = 1.5 * spread[day - 1] - 0.62 * spread[day - 2] + shock[day]
spread = spread.reshape(-1, 1)

# ---------------------------------------------------------------- preparation
look_back = 15
split = int(0.7 * days)
scaler = MinMaxScaler(feature_range=(-1, 1))
scaler.fit(spread[:split])
scaled = scaler.transform(spread)
train_values, test_values = scaled[:split], scaled[split:]


def create_dataset(values, look_back):
    X, Y = [], []
    for i in range(len(values) - look_back):
        X.append(values[i:i + look_back])
        Y.append(values[i + look_back])
    return torch.tensor(np.array(X), dtype=torch.float32), torch.tensor(np.array(Y), dtype=torch.float32)


X_train, Y_train = create_dataset(train_values, look_back)
X_test, Y_test = create_dataset(test_values, look_back)
print(X_train.shape, X_test.shape)


# ---------------------------------------------------------------- the model
class LSTM(nn.Module):
    def __init__(self, input_dim=1, hidden_dim=24, num_layers=1, output_dim=1):
        super().__init__()
        self.hidden_dim, self.num_layers = hidden_dim, num_layers
        self.lstm = nn.LSTM(input_dim, hidden_dim, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_dim, output_dim)

    def forward(self, x):
        h0 = torch.zeros(self.num_layers, x.size(0), self.hidden_dim)
        c0 = torch.zeros(self.num_layers, x.size(0), self.hidden_dim)
        out, _ = self.lstm(x, (h0, c0))
        return self.fc(out[:, -1, :])


model = LSTM()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X_train, Y_train), batch_size=64, shuffle=True)

for epoch in range(16):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    if epoch % 5 == 0:
        print(f"Epoch {epoch} mse: {total / len(X_train):.5f}")

# ---------------------------------------------------------------- in the old units
model.eval()
with torch.no_grad():
    forecast = scaler.inverse_transform(model(X_test).numpy())
truth = scaler.inverse_transform(Y_test.numpy())
yesterday = scaler.inverse_transform(X_test[:, -1].numpy())
print(f"test RMSE {np.sqrt(np.mean((forecast - truth) ** 2)):.3f}")
print(f"yesterday's value as forecast {np.sqrt(np.mean((yesterday - truth) ** 2)):.3f}")
