# expect: no_step @ 80
# allowed: no_step @ 79
# allowed: no_step @ 81
"""Inverse problem: recover damping c and stiffness k of  u'' + c u' + k u = 0
from noisy samples of u(t). The surrogate u_theta is a tanh net made of raw tensors,
trained by its own Adam; the two physical constants have theirs (block-coordinate scheme).
"""
import math

import torch

torch.manual_seed(3)

C_TRUE, K_TRUE = 0.5, 9.0
T_END = 4.0


def exact(t):
    w = math.sqrt(K_TRUE - C_TRUE ** 2 / 4)
    return torch.exp(-0.5 * C_TRUE * t) * (torch.cos(w * t) + 0.5 * C_TRUE / w * torch.sin(w * t))


def make_weights(sizes):
    ws = []
    for fan_in, fan_out in zip(sizes[:-1], sizes[1:]):
        W = torch.randn(fan_in, fan_out) * math.sqrt(1.0 / fan_in)
        b = 0.1 * torch.randn(fan_out)
        ws += [W.requires_grad_(), b.requires_grad_()]
    return ws


def surrogate(ws, t):
    h = 2.0 * t / T_END - 1.0            # time to [-1, 1]
    h = torch.cat([h, torch.sin(3 * math.pi * h / 2), torch.cos(3 * math.pi * h / 2)], dim=1)
    for W, b in zip(ws[:-2:2], ws[1:-2:2]):
        h = torch.tanh(h @ W + b)
    return h @ ws[-2] + ws[-1]


def derivatives(ws, t):
    t = t.clone().requires_grad_()
    u = surrogate(ws, t)
    du, = torch.autograd.grad(u.sum(), t, create_graph=True)
    ddu, = torch.autograd.grad(du.sum(), t, create_graph=True)
    return u, du, ddu


def residual_loss(ws, phys, t):
    u, du, ddu = derivatives(ws, t)
    c, k = phys.exp()
    return ((ddu + c * du + k * u) / 10.0).square().mean()


# ---- data -----------------------------------------------------------------
t_obs = torch.rand(60, 1) * T_END
u_obs = exact(t_obs) + 0.02 * torch.randn_like(t_obs)
t_val = torch.rand(30, 1) * T_END
u_val = exact(t_val) + 0.02 * torch.randn_like(t_val)

net = make_weights([3, 32, 32, 1])
log_phys = torch.log(torch.tensor([1.0, 5.0])).requires_grad_()

opt_net = torch.optim.Adam(net, lr=5e-3)
opt_phys = torch.optim.Adam([log_phys], lr=2e-2)


def net_update(t_col, weight):
    opt_net.zero_grad()
    fit = (surrogate(net, t_obs) - u_obs).square().mean()
    loss = fit + weight * residual_loss(net, log_phys.detach(), t_col)
    loss.backward()
    opt_net.step()
    return fit.item()


def physics_update(t_col):
    opt_phys.zero_grad()
    loss = residual_loss(net, log_phys, t_col)
    loss.backward(inputs=[log_phys])
    opt_net.step()
    return loss.item()


for it in range(501):
    t_col = torch.rand(64, 1) * T_END
    # let the data shape the net first, then phase the ODE in
    fit = net_update(t_col, weight=min(1.0, it / 300) * 0.05)
    res = physics_update(t_col) if it >= 150 else 0.0
    if it % 100 == 0:
        c, k = log_phys.detach().exp().tolist()
        with torch.no_grad():
            val = (surrogate(net, t_val) - u_val).square().mean().item()
        print(f"{it:4d}  fit {fit:.5f}  residual {res:.5f}  val {val:.5f}  c {c:.3f}  k {k:.3f}")

c, k = log_phys.detach().exp().tolist()
print(f"estimate c={c:.3f} (true {C_TRUE}),  k={k:.3f} (true {K_TRUE})")
