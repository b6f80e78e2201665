# missed: missing_zero_grad @ 43
# allowed: missing_zero_grad @ 37
# allowed: missing_zero_grad @ 39
# allowed: missing_zero_grad @ 44
# mend: 37 +         opt.zero_grad()
# mend: 43 →
"""Two-compartment decay curves fitted per subject with LBFGS; plain tensors, no modules."""
import torch

torch.set_default_dtype(torch.float64)
HOURS = torch.linspace(0.0, 6.0, 40)


def curve(p, t):
    """p = log of (a, fast rate, b, slow rate)"""
    a, k1, b, k2 = p.exp().unbind(-1)
    return a[..., None] * torch.exp(-k1[..., None] * t) + b[..., None] * torch.exp(-k2[..., None] * t)


def simulate(n, gen):
    centre = torch.tensor([1.0, 0.7, -0.3, -1.8])
    true = centre + 0.25 * torch.randn(n, 4, generator=gen)
    clean = curve(true, HOURS)
    return true, clean, clean + 0.02 * torch.randn(clean.shape, generator=gen)


def fit_subjects(obs, rounds=15, lr=1.0, prior=1e-4):
    centre = torch.zeros(4)
    p = torch.tensor([0.5, 0.3, 0.0, -1.0]).repeat(len(obs), 1).requires_grad_()
    opt = torch.optim.LBFGS([p], lr=lr, max_iter=10, history_size=8, line_search_fn="strong_wolfe")
    trace = []

    def objective():
        misfit = (curve(p, HOURS) - obs).square().mean()
        return misfit + prior * (p - centre).square().mean()

    def closure():
        value = objective()
        value.backward()
        return value

    for _ in range(rounds):
        opt.zero_grad()
        opt.step(closure)
        with torch.no_grad():
            trace.append(objective().item())
    return p.detach(), trace


def main():
    gen = torch.Generator().manual_seed(123)
    true, clean, noisy = simulate(12, gen)
    p, trace = fit_subjects(noisy)
    for i in range(0, len(trace), 3):
        print(f"round {i + 1:2d}  objective {trace[i]:.6f}")
    fitted = curve(p, HOURS)
    rmse = (fitted - clean).square().mean(dim=1).sqrt()
    print(f"rmse to the clean curves: mean {rmse.mean():.4f}  worst {rmse.max():.4f}")
    half = torch.log(torch.tensor(2.0)) / p[:, 3].exp()
    print("slow half-lives (h):", [round(v, 2) for v in half.tolist()])


if __name__ == "__main__":
    main()
