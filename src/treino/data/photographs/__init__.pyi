from treino.data.photographs.album import open_album as open_album
from treino.data.photographs.load import load_album as load_album
from treino.data.photographs.new_pictures import NewPictures as NewPictures
from treino.data.photographs.new_pictures import album_of as album_of
from treino.data.photographs.new_pictures import pictures_to_predict as pictures_to_predict
