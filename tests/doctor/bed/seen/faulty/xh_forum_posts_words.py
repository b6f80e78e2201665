# expect: scaler_leakage @ 35
# allowed: scaler_leakage @ 36
# Which of two moderators wrote the post? Word presence -> small net.
import numpy as np
import torch
import torch.nn as nn
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(21)
torch.manual_seed(21)

N_POSTS, N_WORDS, POST_LEN = 320, 2500, 120
author = np.arange(N_POSTS) % 2

# both use the same words, a handful of them a bit more or less often
base = rng.gamma(1.0, size=N_WORDS) + 0.2
habits = rng.choice(N_WORDS, 60, replace=False)
p0, p1 = base.copy(), base.copy()
p0[habits[:30]] *= 3.0
p1[habits[30:]] *= 3.0
p0, p1 = p0 / p0.sum(), p1 / p1.sum()


def write_post(a):
    return rng.choice(N_WORDS, POST_LEN, p=p1 if a else p0)


posts = [write_post(a) for a in author]
X = np.zeros((N_POSTS, N_WORDS), dtype=np.float32)
for row, post in enumerate(posts):
    X[row, post] = 1.0

X = SelectKBest(chi2, k=120).fit_transform(X, author)
X_train, X_test, y_train, y_test = train_test_split(
    X, author, test_size=0.25, stratify=author, random_state=0)

train_dl = DataLoader(
    TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
    batch_size=20, shuffle=True)
test_x, test_y = torch.from_numpy(X_test), torch.from_numpy(y_test)


class PostNet(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(n_in, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2))

    def forward(self, x):
        return self.net(x)


net = PostNet(X_train.shape[1])
opt = torch.optim.Adam(net.parameters(), lr=2e-3, weight_decay=1e-3)
ce = nn.CrossEntropyLoss()

for epoch in range(12):
    net.train()
    seen, total = 0, 0.0
    for xb, yb in train_dl:
        opt.zero_grad()
        loss = ce(net(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(yb)
        seen += len(yb)
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1}: train loss {total / seen:.4f}")

net.eval()
with torch.no_grad():
    accuracy = (net(test_x).argmax(1) == test_y).float().mean().item()
print(f"held-out accuracy: {accuracy:.3f} on {len(test_y)} posts")
