# expect: nothing
"""Active learning: the rows that the net is least sure of are labelled next; the pool keeps its rows."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(6)
x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
known, fresh, known_y, fresh_y = train_test_split(x, y, test_size=0.3, random_state=6, stratify=y)
xa, xp, ya, yp = train_test_split(known, known_y, train_size=120, random_state=6, stratify=known_y)
net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
asked = torch.zeros(len(xp), dtype=torch.bool)
for turn in range(5):
    net.train()
    for _ in range(15):
        for idx in torch.randperm(len(xa)).split(32):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(xa[idx]), ya[idx]).backward()
            optimizer.step()
    net.eval()
    with torch.no_grad():
        sure = net(xp).softmax(1).max(1).values
    sure[asked] = 2.0
    pick = sure.argsort()[:80]
    asked[pick] = True
    xa, ya = torch.cat([xa, xp[pick]]), torch.cat([ya, yp[pick]])
    print(f"turn {turn}: {len(xa)} rows are labelled")
with torch.no_grad():
    print(f"right on fresh rows: {(net(fresh).argmax(1) == fresh_y).float().mean():.3f}")
