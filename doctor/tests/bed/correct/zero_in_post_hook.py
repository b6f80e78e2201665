# expect: nothing
# looks suspicious: the loop shows no zero_grad: a post hook of the optimizer clears after every step.
import torch
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

torch.manual_seed(1)
bunch = load_wine()
perm = torch.randperm(178).numpy()
fit, out = perm[:128], perm[128:]
scale = StandardScaler().fit(bunch.data[fit]).transform
xf, xo = (torch.tensor(scale(bunch.data[i]), dtype=torch.float32) for i in (fit, out))
yf, yo = (torch.tensor(bunch.target[i]) for i in (fit, out))

model = torch.nn.Sequential(torch.nn.Linear(13, 16), torch.nn.SiLU(), torch.nn.Linear(16, 3))
opt = torch.optim.Adam(model.parameters(), lr=0.01)
opt.register_step_post_hook(lambda o, args, kwargs: o.zero_grad())
ds = torch.utils.data.TensorDataset(xf, yf)

for epoch in range(15):
    for x, y in torch.utils.data.DataLoader(ds, batch_size=16, shuffle=True):
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
    if epoch % 5 == 4:
        print(epoch + 1, round(loss.item(), 4))
with torch.inference_mode():
    print("accuracy", (model(xo).argmax(1) == yo).float().mean().item())
