# expect: dead_relu @ 52
# allowed: dead_relu @ 59
# allowed: dead_relu @ 60
# allowed: dead_relu @ 63
"""Wind turbine power curve with memory: the next 10-minute power from the last two hours."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(17)
rng = np.random.default_rng(17)

STEPS = 3000
LOOKBACK = 12


def simulate_turbine(steps):
    wind = np.empty(steps)
    speed = 8.0
    for k in range(steps):
        speed += 0.05 * (8.5 - speed) + rng.normal(0, 0.5)
        speed = max(speed, 0.0)
        wind[k] = speed
    pitch = np.clip(wind - 11, 0, None) * 2 + rng.normal(0, 0.2, steps)
    rotor = np.clip(wind * 1.6, 0, 18) + rng.normal(0, 0.3, steps)
    smooth = np.convolve(wind, np.ones(3) / 3)[:steps]
    power = 2000 / (1 + np.exp(-(smooth - 8.5) / 1.2)) + rng.normal(0, 25, steps)
    return np.stack([wind, pitch, rotor, power], axis=1).astype(np.float32)


raw = simulate_turbine(STEPS)
cut_val, cut_test = 2000, 2500
center, spread = raw[:cut_val].mean(0), raw[:cut_val].std(0)
scaled = (raw - center) / spread


def make_windows(block):
    feats = np.stack([block[i:i + LOOKBACK].ravel() for i in range(len(block) - LOOKBACK)])
    target = block[LOOKBACK:, 3:4]
    return torch.from_numpy(feats), torch.from_numpy(target)


train_x, train_y = make_windows(scaled[:cut_val])
val_x, val_y = make_windows(scaled[cut_val:cut_test])
test_x, test_y = make_windows(scaled[cut_test:])


def init_weights(module):
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.constant_(module.bias, -8.0)


class PowerNet(nn.Module):
    def __init__(self, n_in, width=64):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(n_in, width), nn.ReLU(),
            nn.Linear(width, width), nn.ReLU(),
        )
        self.out = nn.Linear(width, 1)
        self.body.apply(init_weights)

    def forward(self, x):
        return self.out(self.body(x))


net = PowerNet(train_x.shape[1])
loss_fn = nn.MSELoss()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
sched = torch.optim.lr_scheduler.MultiStepLR(opt, milestones=[15, 20], gamma=0.3)
loader = DataLoader(TensorDataset(train_x, train_y), batch_size=50, shuffle=True)


def rmse_kw(x, y):
    net.eval()
    with torch.no_grad():
        return (nn.functional.mse_loss(net(x), y).sqrt() * float(spread[3])).item()


best, best_path_state = float("inf"), None
for epoch in range(25):
    net.train()
    running = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = loss_fn(net(xb), yb)
        loss.backward()
        opt.step()
        running += loss.item() * len(xb)
    sched.step()
    val = rmse_kw(val_x, val_y)
    if val < best:
        best = val
        best_path_state = {k: v.clone() for k, v in net.state_dict().items()}
    if epoch % 4 == 0:
        print(f"epoch {epoch:02d} | train mse {running / len(train_x):.4f} | val rmse {val:.1f} kW")

net.load_state_dict(best_path_state)
persistence = ((test_x[:, -1:] - test_y).pow(2).mean().sqrt() * float(spread[3])).item()
print(f"test rmse {rmse_kw(test_x, test_y):.1f} kW, persistence {persistence:.1f} kW")
