# expect: sorted_split @ 13
"""Wine cultivars, judged by numpy; the table comes cultivar by cultivar."""
import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(4)
table = load_wine(as_frame=True)
fit_x, new_x, fit_y, new_y = train_test_split(table.data, table.target, test_size=0.3, shuffle=False)
scaler = StandardScaler().fit(fit_x)


def rows(frame):
    return torch.tensor(scaler.transform(frame), dtype=torch.float32)


net = nn.Sequential(nn.Linear(13, 20), nn.SiLU(), nn.Linear(20, 3))
opt = torch.optim.AdamW(net.parameters(), lr=5e-3)
x, y = rows(fit_x), torch.tensor(fit_y.to_numpy())
for epoch in range(25):
    for part in torch.randperm(len(x)).split(20):
        opt.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(net(x[part]), y[part])
        loss.backward()
        opt.step()
with torch.inference_mode():
    scores = net(rows(new_x)).numpy()
print(classification_report(new_y, np.argmax(scores, axis=1), zero_division=0))
