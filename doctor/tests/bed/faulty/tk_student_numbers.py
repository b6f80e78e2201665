# expect: symmetric_init @ 27
# allowed: symmetric_init @ 35
# allowed: symmetric_init @ 36
# mend: 27 →     w = torch.randn(n_in, n_out) / n_in ** 0.5
"""Project 2: a three-layer net on the digits without nn.Module, momentum written by hand."""
import torch
from sklearn.datasets import load_digits

torch.manual_seed(4)
N_TRAIN, BATCH, EPOCHS = 1400, 50, 12
LR, MOMENTUM = 0.05, 0.9

# the data: shuffle, split, centre with the mean of the training part
data, target = load_digits(return_X_y=True)
data = torch.tensor(data, dtype=torch.float32) / 16
target = torch.tensor(target)
perm = torch.randperm(len(data))
x_train, y_train = data[perm[:N_TRAIN]], target[perm[:N_TRAIN]]
x_test, y_test = data[perm[N_TRAIN:]], target[perm[N_TRAIN:]]
centre = x_train.mean(dim=0)
spread = x_train.std()
x_train = (x_train - centre) / spread
x_test = (x_test - centre) / spread


def weight(n_in, n_out):
    w = torch.ones(n_in, n_out) / n_in ** 0.5
    return w.requires_grad_()


def bias(n_out):
    return torch.zeros(n_out, requires_grad=True)


W1, b1 = weight(64, 48), bias(48)
W2, b2 = weight(48, 32), bias(32)
W3, b3 = weight(32, 10), bias(10)
params = [W1, b1, W2, b2, W3, b3]
velocity = [torch.zeros_like(p) for p in params]


def net(x):
    h = torch.tanh(x @ W1 + b1)
    h = torch.tanh(h @ W2 + b2)
    return h @ W3 + b3


def cross_entropy(scores, y):
    log_p = scores - scores.logsumexp(dim=1, keepdim=True)
    return -log_p[torch.arange(len(y)), y].mean()


for epoch in range(EPOCHS):
    running = 0.0
    for idx in torch.randperm(N_TRAIN).split(BATCH):
        loss = cross_entropy(net(x_train[idx]), y_train[idx])
        grads = torch.autograd.grad(loss, params)
        with torch.no_grad():
            for p, v, g in zip(params, velocity, grads):
                v.mul_(MOMENTUM).add_(g)
                p.sub_(LR * v)
        running += loss.item() * len(idx)
    if epoch % 3 == 2:
        print("epoch", epoch + 1, "loss", round(running / N_TRAIN, 4))

with torch.no_grad():
    guess = net(x_test).argmax(dim=1)
print("correct on the test part:", (guess == y_test).sum().item(), "of", len(y_test))
