import sys

import torch
from tqdm import tqdm

torch.manual_seed(14)
layer = torch.nn.Linear(6, 6)
opt = torch.optim.SGD(layer.parameters(), lr=0.2)
for epoch in range(3):
    bar = tqdm(
        range(12), desc=f"epoch {epoch}", bar_format="{desc} {n_fmt}/{total_fmt} {postfix}", miniters=1
    )
    bar.mininterval = 0
    for _ in bar:
        batch = torch.randn(4, 6)
        loss = (layer(batch) - batch.flip(1)).square().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        bar.set_postfix_str(f"loss {loss.item():.4f}")
    sys.stdout.write(f"\repoch {epoch} ...")
    sys.stdout.write(f"\repoch {epoch} done, {loss.item():.6f}\n")
