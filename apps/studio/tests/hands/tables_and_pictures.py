import shutil
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch.func import functional_call

torch.manual_seed(18)
module = torch.nn.Linear(2, 2)
weights = {name: value.detach().clone().requires_grad_() for name, value in module.named_parameters()}
optimizer = torch.optim.Adadelta(weights.values(), lr=1.0)
history, scratch = [], tempfile.mkdtemp()
for step in range(30):
    x = torch.randn(10, 2)
    loss = (functional_call(module, weights, (x,)) - x.square()).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    history.append({"step": step, "loss": loss.item()})
    if step % 8 == 7:
        np.save(f"{scratch}/losses.npy", [each["loss"] for each in history])
        pd.DataFrame(history).to_csv("history.csv", index=False)
        save_file({name: value.detach() for name, value in weights.items()}, "weights.safetensors")
        print(
            step, np.load(f"{scratch}/losses.npy").mean(), load_file("weights.safetensors")["bias"].tolist()
        )
shutil.rmtree(scratch)
pd.read_csv("history.csv").plot(x="step", y="loss")
plt.savefig("loss.png")
shutil.copy("loss.png", "copy.png")
print(len(pd.read_csv("history.csv")))
