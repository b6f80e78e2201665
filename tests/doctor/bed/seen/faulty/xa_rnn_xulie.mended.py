# expect: nothing
# 动手学深度学习 8.5 节练习：从零实现循环神经网络，改为预测带噪声的时间序列
import math

import torch

torch.manual_seed(5)
num_steps, num_hiddens, batch_size = 16, 32, 32


def make_series(T=700):
    """两个周期叠加，再加噪声"""
    t = torch.arange(T, dtype=torch.float32)
    return 20 + 5 * torch.sin(2 * math.pi * t / 24) + 3 * torch.sin(2 * math.pi * t / 60) + 0.5 * torch.randn(T)


def windows(series):
    """窗口 -> 下一个值"""
    w = series.unfold(0, num_steps + 1, 1)
    return w[:, :num_steps], w[:, num_steps:]


def data_iter(X, y):
    # 窗口之间的顺序打乱，窗口内部保持时间顺序
    for idx in torch.randperm(len(X)).split(batch_size):
        yield X[idx], y[idx]


def get_params(num_hiddens):
    def normal(*shape, std):
        return torch.randn(*shape) * std

    W_xh = normal(1, num_hiddens, std=0.3)
    W_hh = normal(num_hiddens, num_hiddens, std=0.8 / math.sqrt(num_hiddens))
    b_h = torch.zeros(num_hiddens)
    W_hq = normal(num_hiddens, 1, std=1 / math.sqrt(num_hiddens))
    b_q = torch.zeros(1)
    params = [W_xh, W_hh, b_h, W_hq, b_q]
    for param in params:
        param.requires_grad_(True)
    return params


def rnn(X, params):
    W_xh, W_hh, b_h, W_hq, b_q = params
    H = torch.zeros(X.shape[0], num_hiddens)
    for x in X.t().unsqueeze(-1):          # x 的形状：(批量大小, 1)
        H = torch.tanh(x @ W_xh + H @ W_hh + b_h)
    return H @ W_hq + b_q


def grad_clipping(params, theta=1.0):
    """裁剪梯度"""
    norm = torch.sqrt(sum(torch.sum(p.grad ** 2) for p in params))
    if norm > theta:
        for p in params:
            p.grad[:] *= theta / norm
    return norm.item()


def sgd(params, lr):
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad
            p.grad.zero_()


def squared_loss(y_hat, y):
    return ((y_hat - y.reshape(y_hat.shape)) ** 2).mean()


def train_epoch(params, X, y, lr):
    total, norms = 0.0, []
    for xb, yb in data_iter(X, y):
        l = squared_loss(rnn(xb, params), yb)
        l.backward()
        norms.append(grad_clipping(params))
        sgd(params, lr)
        total += l.item() * len(xb)
    return total / len(X), sum(norms) / len(norms)


def main(lr=0.1, num_epochs=20):
    series = make_series()
    n_train = 550
    mean, std = series[:n_train].mean(), series[:n_train].std()     # 只用训练段的统计量
    z = (series - mean) / std
    X_train, y_train = windows(z[:n_train])
    X_test, y_test = windows(z[n_train:])

    params = get_params(num_hiddens)
    for epoch in range(num_epochs):
        loss, norm = train_epoch(params, X_train, y_train, lr)
        if (epoch + 1) % 4 == 0:
            print(f"epoch {epoch + 1:2d}, 训练损失 {loss:.4f}, 裁剪前的平均梯度范数 {norm:.3f}")

    with torch.no_grad():
        test = squared_loss(rnn(X_test, params), y_test).item()
        naive = squared_loss(X_test[:, -1:], y_test).item()
    print(f"测试损失 {test:.4f}（用上一个值预测：{naive:.4f}）")


main()
