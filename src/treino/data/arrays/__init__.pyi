from treino.data.arrays.loading import arrays_to_predict as arrays_to_predict
from treino.data.arrays.loading import load_arrays as load_arrays
