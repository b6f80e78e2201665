# expect: lr_too_low @ 16
# allowed: lr_too_low @ 56
# allowed: lr_too_low @ 57
# allowed: lr_too_low @ 52
# mend: 16 → BASE_LR = 1.6
"""Digits with plain SGD and the linear scaling rule for the learning rate (notes to chapter 8).

The rule: the learning rate grows with the batch size, measured against a batch of 256.
"""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(12)

BASE_LR = 0.002
BATCH_SIZE = 16
EPOCHS = 9

images, digits = load_digits(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(images / 16.0, digits, test_size=0.25, stratify=digits, random_state=12)
Xtr, Xte = torch.tensor(Xtr, dtype=torch.float32), torch.tensor(Xte, dtype=torch.float32)
ytr, yte = torch.tensor(ytr), torch.tensor(yte)
print(f"{len(Xtr)} training digits, {len(Xte)} test digits")


def glorot(fan_in, fan_out):
    bound = (6.0 / (fan_in + fan_out)) ** 0.5
    return torch.empty(fan_in, fan_out).uniform_(-bound, bound).requires_grad_()


theta = {
    "W1": glorot(64, 48), "b1": torch.zeros(48, requires_grad=True),
    "W2": glorot(48, 10), "b2": torch.zeros(10, requires_grad=True),
}


def log_probs(x):
    hidden = torch.tanh(x @ theta["W1"] + theta["b1"])
    return torch.log_softmax(hidden @ theta["W2"] + theta["b2"], dim=1)


def nll(x, t):
    return -log_probs(x)[torch.arange(len(t)), t].mean()


def make_sgd(variables, lr):
    def step(loss):
        grads = torch.autograd.grad(loss, variables)
        with torch.no_grad():
            for v, g in zip(variables, grads):
                v.sub_(lr * g)
    return step


lr = BASE_LR * BATCH_SIZE / 256
sgd_step = make_sgd(list(theta.values()), lr)
print(f"learning rate after scaling: {lr:g}")

for epoch in range(1, EPOCHS + 1):
    shuffled = torch.randperm(len(Xtr))
    losses = []
    for idx in shuffled.split(BATCH_SIZE):
        loss = nll(Xtr[idx], ytr[idx])
        sgd_step(loss)
        losses.append(loss.item())
    if epoch % 3 == 0:
        print(f"epoch {epoch:2d}   nll {sum(losses) / len(losses):.4f}")

with torch.no_grad():
    test_nll = nll(Xte, yte).item()
    test_acc = (log_probs(Xte).argmax(dim=1) == yte).float().mean().item()
print(f"test: nll {test_nll:.4f}, accuracy {test_acc:.4f}")
