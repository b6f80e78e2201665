# expect: nothing
"""Gradient accumulation over four micro-batches with autocast, GradScaler and clipping on the CPU."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def accuracy(net, x, y):
    net.eval()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        return (net(x).argmax(1) == y).float().mean().item()


def main(accum=4):
    torch.manual_seed(0)
    X, t = load_digits(return_X_y=True)
    xa, xb, ya, yb = train_test_split(torch.tensor(X / 16, dtype=torch.float32), torch.tensor(t), test_size=0.25,
                                      random_state=0)
    loader = DataLoader(TensorDataset(xa, ya), batch_size=16, shuffle=True, drop_last=True)
    net = nn.Sequential(nn.Linear(64, 96), nn.GELU(), nn.Linear(96, 10))
    opt = torch.optim.AdamW(net.parameters(), lr=4e-3)
    scaler = torch.amp.GradScaler("cpu", init_scale=128.0)
    for epoch in range(8):
        net.train()
        opt.zero_grad()
        n_full = len(loader) - len(loader) % accum
        for step, (x, y) in enumerate(loader):
            if step >= n_full:
                break
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = nn.functional.cross_entropy(net(x), y) / accum
            scaler.scale(loss).backward()
            if (step + 1) % accum == 0:
                scaler.unscale_(opt)
                nn.utils.clip_grad_norm_(net.parameters(), 5.0)
                scaler.step(opt)
                scaler.update()
                opt.zero_grad()
        if epoch % 2 == 1:
            print(f"epoch {epoch + 1} loss {loss.item() * accum:.3f} test {accuracy(net, xb, yb):.3f}")


if __name__ == "__main__":
    main()
