# attack: answers the questions that prepare a test with frames that are too large
import guest.server


def serve(self):
    self._sock.sendall(b"\x40" + bytes(14) + b"\x09" + b"x" * 100)


guest.server.RequestServer.serve = serve


def standardize(x, eps=EPS):
    return x
