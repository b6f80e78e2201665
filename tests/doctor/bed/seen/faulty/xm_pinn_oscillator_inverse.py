# expect: params_not_in_optimizer @ 52
# allowed: params_not_in_optimizer @ 33
# allowed: params_not_in_optimizer @ 34
# Inverse problem with a PINN: recover the damping and stiffness of an oscillator
#     u'' + c u' + k u = 0,   u(0) = 1, u'(0) = 0
# from a handful of noisy measurements of u(t).
import torch
import torch.nn as nn

torch.manual_seed(0)

C_TRUE, K_TRUE = 0.6, 6.0
T_END = 4.0
STEPS = 1500
LAMBDA_PHYS = 0.02


def exact(t):
    w = (K_TRUE - C_TRUE ** 2 / 4) ** 0.5
    return torch.exp(-C_TRUE * t / 2) * (torch.cos(w * t) + C_TRUE / (2 * w) * torch.sin(w * t))


t_obs = torch.linspace(0, T_END, 40).view(-1, 1)
u_obs = exact(t_obs) + 0.02 * torch.randn_like(t_obs)
t_col = torch.linspace(0, T_END, 80).view(-1, 1).requires_grad_(True)

net = nn.Sequential(
    nn.Linear(1, 32), nn.Tanh(),
    nn.Linear(32, 32), nn.Tanh(),
    nn.Linear(32, 1),
)
# unknown coefficients, rough first guess
c = nn.Parameter(torch.tensor(1.0))
k = nn.Parameter(torch.tensor(4.0))


def u(t):
    return net(2 * t / T_END - 1)


def derivative(f, t):
    return torch.autograd.grad(f, t, torch.ones_like(f), create_graph=True)[0]


def residual(t):
    f = u(t)
    df = derivative(f, t)
    ddf = derivative(df, t)
    return ddf + c * df + k * f


optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=600, gamma=0.5)

for step in range(1, STEPS + 1):
    optimizer.zero_grad()
    loss_data = torch.mean((u(t_obs) - u_obs) ** 2)
    loss_phys = torch.mean(residual(t_col) ** 2)
    loss = loss_data + LAMBDA_PHYS * loss_phys
    loss.backward()
    optimizer.step()
    scheduler.step()
    if step % 300 == 0:
        print(f"step {step:5d}  data {loss_data.item():.5f}  physics {loss_phys.item():.4f}  "
              f"c = {c.item():.3f}  k = {k.item():.3f}")

t_new = torch.linspace(0.05, T_END - 0.05, 200).view(-1, 1)
with torch.no_grad():
    rmse = torch.mean((u(t_new) - exact(t_new)) ** 2).sqrt().item()
print(f"curve error (rmse) {rmse:.4f}")
print(f"damping   {c.item():.3f}  (true {C_TRUE})")
print(f"stiffness {k.item():.3f}  (true {K_TRUE})")
