# missed: softmax_before_cross_entropy @ 26
# allowed: softmax_before_cross_entropy @ 46
# needs: torch>=2.0
# mend: 26 →         return self.fc3(x)
"""Five small networks trained at once with torch.func: stacked parameters, vmap over members, hand-made momentum."""
import copy

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap


class SimpleMLP(nn.Module):
    def __init__(self, hidden=40):
        super().__init__()
        self.fc1 = nn.Linear(64, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.fc3 = nn.Linear(hidden, 10)

    def forward(self, x):
        x = self.fc1(x).relu()
        x = self.fc2(x).relu()
        return self.fc3(x).softmax(dim=-1)


torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
scaler = StandardScaler().fit(X_train)
X_train = torch.tensor(scaler.transform(X_train), dtype=torch.float32)
X_test = torch.tensor(scaler.transform(X_test), dtype=torch.float32)
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)

NUM_MODELS = 5
models = [SimpleMLP() for _ in range(NUM_MODELS)]
params, buffers = stack_module_state(models)
params = {name: p.detach() for name, p in params.items()}
base_model = copy.deepcopy(models[0]).to("meta")


def compute_loss(params, buffers, x, t):
    output = functional_call(base_model, (params, buffers), (x,))
    return nn.functional.cross_entropy(output, t)


def predict(params, buffers, x):
    return functional_call(base_model, (params, buffers), (x,))


ensemble_step = vmap(grad_and_value(compute_loss), in_dims=(0, 0, None, None))
velocity = {name: torch.zeros_like(p) for name, p in params.items()}
lr, momentum = 0.05, 0.9

for epoch in range(10):
    losses = []
    for idx in torch.randperm(len(X_train)).split(64):
        grads, values = ensemble_step(params, buffers, X_train[idx], y_train[idx])
        for name in params:
            velocity[name] = momentum * velocity[name] + grads[name]
            params[name] = params[name] - lr * velocity[name]
        losses.append(values)
    if epoch % 3 == 0:
        print(f"epoch {epoch}: " + " ".join(f"{v:.3f}" for v in torch.stack(losses).mean(0).tolist()))

with torch.no_grad():
    scores = vmap(predict, in_dims=(0, 0, None))(params, buffers, X_test)
single = (scores.argmax(-1) == y_test).float().mean(dim=1)
joint = (scores.mean(0).argmax(-1) == y_test).float().mean()
print("members", " ".join(f"{a:.3f}" for a in single.tolist()))
print(f"ensemble {joint:.3f}")
