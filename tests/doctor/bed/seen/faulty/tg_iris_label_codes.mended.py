# expect: nothing
"""Probability that an iris is virginica or versicolor, logistic model on raw tensors."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

torch.manual_seed(9)
iris = load_iris(as_frame=True).frame
iris = iris[iris["target"] > 0]
measure = iris.iloc[:, :4].to_numpy("float32")
virginica = (iris["target"] == 2).to_numpy("float32")

m_tr, m_te, v_tr, v_te = train_test_split(measure, virginica, test_size=0.3, stratify=virginica, random_state=9)
centre, spread = m_tr.mean(0), m_tr.std(0)
x_tr, x_te = (torch.from_numpy((m - centre) / spread) for m in (m_tr, m_te))
y_tr, y_te = torch.from_numpy(v_tr), torch.from_numpy(v_te)

weight = torch.zeros(4, requires_grad=True)
bias = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([weight, bias], lr=0.3)


def logit(x):
    return x @ weight + bias


for it in range(300):
    optimizer.zero_grad()
    nll = F.binary_cross_entropy_with_logits(logit(x_tr), y_tr)
    ridge = 1e-3 * weight.square().sum()
    (nll + ridge).backward()
    optimizer.step()
    if it % 100 == 99:
        print(f"iteration {it + 1}  nll {nll.item():.4f}")

with torch.no_grad():
    prob = torch.sigmoid(logit(x_te))
share = ((prob > 0.5).float() == y_te).float().mean().item()
print("coefficients", [round(w, 2) for w in weight.tolist()])
print(f"share of test flowers classified correctly {share:.3f}")
