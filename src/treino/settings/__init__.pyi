from treino.settings.setting_types import as_item as as_item
from treino.settings.spec import FAULTS as FAULTS
from treino.settings.spec import FLAGS as FLAGS
from treino.settings.spec import LAYERS as LAYERS
from treino.settings.spec import OF_DATA as OF_DATA
from treino.settings.spec import Settings as Settings
from treino.settings.spec import group_of as group_of
from treino.settings.spec import read_settings as read_settings
