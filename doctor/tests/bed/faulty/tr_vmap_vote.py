# missed: softmax_wrong_dim @ 46
# mend: 46 → print("ensemble", (logits.softmax(-1).mean(0).argmax(1) == yb).float().mean().item())
# looks suspicious: the modules' own parameters stay as they are; stacked copies (leading axis = member) are
# trained at once by one optimizer on the sum of the members' mean losses, which are independent.
import copy

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.25, random_state=0)
sc = StandardScaler().fit(Xa)
Xa, Xb = (torch.tensor(sc.transform(v), dtype=torch.float32) for v in (Xa, Xb))
ya, yb = torch.tensor(ya), torch.tensor(yb)

members = [nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 2)) for _ in range(5)]
params, buffers = stack_module_state(members)
base = copy.deepcopy(members[0]).to("meta")


def predict(p, b, xb):
    return functional_call(base, (p, b), (xb,))


opt = torch.optim.Adam(params.values(), lr=5e-3)
for epoch in range(8):
    for rows in torch.randperm(len(ya)).split(71):
        logits = vmap(predict, in_dims=(0, 0, None))(params, buffers, Xa[rows])
        target = ya[rows].expand(5, -1)
        losses = nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none").view(
            5, -1
        )
        loss = losses.mean(1).sum()
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch} member losses {[round(v, 3) for v in losses.mean(1).tolist()]}")
with torch.no_grad():
    logits = vmap(predict, in_dims=(0, 0, None))(params, buffers, Xb)
print("members", [(m.argmax(1) == yb).float().mean().item() for m in logits])
print("ensemble", (logits.softmax(0).mean(0).argmax(1) == yb).float().mean().item())
