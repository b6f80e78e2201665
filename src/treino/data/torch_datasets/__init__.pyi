from treino.data.torch_datasets.dataset_source import load_torch_dataset as load_torch_dataset
from treino.data.torch_datasets.dataset_source import to_predict as to_predict
