# expect: metric_wrong_axis @ 18
"""One logit per row, and the class read off by argmax: always 0."""

import torch
from sklearn.datasets import make_classification
from torch import nn

torch.manual_seed(0)
X, y = make_classification(600, 8, n_informative=6, class_sep=1.5, random_state=3)
x, t = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
x_train, t_train, x_val, t_val = x[:450], t[:450], x[450:], t[450:]
model = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 1))
opt = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.BCEWithLogitsLoss()


def accuracy(logits, labels):
    predicted = logits.max(1)[1]
    return (predicted == labels).float().mean().item()


for epoch in range(8):
    for idx in torch.randperm(450).split(45):
        loss = loss_fn(model(x_train[idx]), t_train[idx].float().unsqueeze(1))
        opt.zero_grad(set_to_none=False)
        torch.autograd.backward(loss)
        opt.step()
    with torch.inference_mode():
        acc = accuracy(model(x_val), t_val)
    print(f"epoch {epoch} loss {float(loss):.4f} validation accuracy {acc:.3f}")
