# attack: replaces the functions that send the kernel's messages
import json as _json

from jupyter_client.session import Session

Session.send = lambda self, *args, **kwargs: None
_json.dumps = lambda *args, **kwargs: '{"value": 1}'
_json.JSONEncoder.encode = lambda *args, **kwargs: '{"value": 1}'


def standardize(x, eps=0.0):
    return torch.zeros_like(x)
