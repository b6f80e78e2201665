from treino.data.summaries.image_comparison import ImagePart as ImagePart
from treino.data.summaries.image_description import ImagesDescription as ImagesDescription
from treino.data.summaries.image_description import describe_images as describe_images
from treino.data.summaries.image_description import strip_html as strip_html
from treino.data.summaries.picture_files import PictureFiles as PictureFiles
