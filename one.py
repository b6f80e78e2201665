from pathlib import Path
from treino.pictures.untrained import untrained
from treino.store.output_files import OutputFolder
untrained("wine", 9, OutputFolder(Path("/tmp/w/tmp-pictures/un"), replace=True), features=["alcohol","color_intensity"])
