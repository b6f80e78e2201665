import torch

torch.manual_seed(11)
t = torch.linspace(0, 6, 80)
signal = torch.sin(1.7 * t + 0.4) * torch.exp(-0.2 * t)
params = torch.tensor([1.0, 1.5, 0.0, 0.1], requires_grad=True)
optimizer = torch.optim.LBFGS([params], lr=0.3, max_iter=3, history_size=5)
evaluations = 0


def closure():
    global evaluations
    evaluations += 1
    optimizer.zero_grad()
    amplitude, frequency, phase, decay = params
    loss = ((amplitude * torch.sin(frequency * t + phase) * torch.exp(-decay * t) - signal) ** 2).mean()
    loss.backward()
    return loss


for iteration in range(30):
    loss = optimizer.step(closure)
    print(iteration, evaluations, float(loss), params.detach().tolist())
