# expect: selection_on_test @ 77
# allowed: selection_on_test @ 78
# allowed: selection_on_test @ 79
"""Knowledge distillation on a noisy tabular problem.

A wide teacher is trained once; a slim student is then trained for several
temperatures / mixing weights and the best student is reported.
"""
import copy
import itertools

import torch
import torch.nn.functional as F
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

X, y = make_classification(n_samples=900, n_features=24, n_informative=8, n_redundant=4,
                           n_classes=3, flip_y=0.2, class_sep=1.2, random_state=3)
X_fit, X_test, y_fit, y_test = train_test_split(X, y, test_size=110, stratify=y, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(X_fit, y_fit, test_size=110, stratify=y_fit, random_state=0)
scaler = StandardScaler().fit(X_train)


def as_tensors(features, labels):
    return (torch.tensor(scaler.transform(features), dtype=torch.float32), torch.tensor(labels))


train_set = as_tensors(X_train, y_train)
val_set = as_tensors(X_val, y_val)
test_set = as_tensors(X_test, y_test)


def mlp(width):
    return nn.Sequential(nn.Linear(24, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 3))


@torch.no_grad()
def accuracy(net, split):
    net.eval()
    inputs, targets = split
    return (net(inputs).argmax(dim=-1) == targets).float().mean().item()


def fit(net, loss_fn, epochs, lr=6e-3):
    inputs, targets = train_set
    opt = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=0.05)
    for _ in range(epochs):
        net.train()
        for idx in torch.randperm(len(inputs)).split(64):
            opt.zero_grad()
            loss = loss_fn(net(inputs[idx]), inputs[idx], targets[idx])
            loss.backward()
            opt.step()
    return net


torch.manual_seed(0)
teacher = fit(mlp(128), lambda logits, xb, yb: F.cross_entropy(logits, yb, label_smoothing=0.1), epochs=6)
teacher.eval()
print(f"teacher          val {accuracy(teacher, val_set):.3f}")


def distillation_loss(temperature, alpha):
    def loss_fn(logits, xb, yb):
        with torch.no_grad():
            soft = F.softmax(teacher(xb) / temperature, dim=-1)
        kd = F.kl_div(F.log_softmax(logits / temperature, dim=-1), soft, reduction="batchmean")
        return alpha * temperature ** 2 * kd + (1 - alpha) * F.cross_entropy(logits, yb)
    return loss_fn


best_score, best_student, best_setting = 0.0, None, None
for temperature, alpha in itertools.product([1.0, 2.0, 4.0, 8.0], [0.1, 0.5, 0.9]):
    student = fit(mlp(10), distillation_loss(temperature, alpha), epochs=8)
    score = accuracy(student, test_set)
    if score > best_score:
        best_score, best_setting = score, (temperature, alpha)
        best_student = copy.deepcopy(student)

print(f"best setting: T={best_setting[0]}, alpha={best_setting[1]} (score {best_score:.3f})")
print(f"student          val {accuracy(best_student, val_set):.3f}")
print(f"student          test {accuracy(best_student, test_set):.3f}")
