"""torchvision's models, for programs of bench/ and test/interop that have this folder in their sys.path."""
import sys
import torch


def load_models():
    """Without torchvision's compiled operators where those do not fit the PyTorch that is there: of the models, none uses one."""
    try:
        from torchvision import models
    except (RuntimeError, OSError):
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        register = torch.library.register_fake
        torch.library.register_fake = lambda name, *args, **kwargs: (
            (lambda function: function) if str(name).startswith("torchvision::") else register(name, *args, **kwargs))
        from torchvision import models
        torch.library.register_fake = register
    return models
