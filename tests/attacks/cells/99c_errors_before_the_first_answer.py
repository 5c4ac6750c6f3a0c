# attack: answers the questions that prepare a test with errors, then with values of other kinds
import guest.server
from guest.wire import receive_frame, send_frame

ANSWERS = ({"raised": {"type": "SystemExit", "message": "\ud800", "lines": 3}}, {"raised": 5}, {"value": ["h", 1, "x", True]})


def serve(self):
    for answer in ANSWERS:
        receive_frame(self._sock)
        send_frame(self._sock, answer)
    while True:
        self._answer(*receive_frame(self._sock))


guest.server.RequestServer.serve = serve


def standardize(x, eps=EPS):
    return x
