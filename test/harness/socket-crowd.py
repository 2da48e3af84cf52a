"""Many WebSockets that say nothing: PORT COUNT PER_ADDRESS FIRST, from addresses 127.0.1.FIRST on.

Prints "COUNT open" once the last handshake is answered. On SIGUSR1 it drops all of them and opens as many again at once.
"""

import resource
import selectors
import signal
import socket
import sys

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
port, count, per_address, first = map(int, sys.argv[1:])
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
hello = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
selector = selectors.DefaultSelector()


def connect(index):
    one = socket.socket()
    one.setblocking(False)
    one.bind((f"127.0.1.{first + index // per_address}", 0))
    one.connect_ex(("127.0.0.1", port))
    selector.register(one, selectors.EVENT_WRITE, index)


def come():
    for index in range(count):
        connect(index)
        if index % 200 == 0:
            turn(0)


def turn(within):
    for key, events in selector.select(within):
        one = key.fileobj
        try:
            if events & selectors.EVENT_WRITE:
                one.send(hello)
                selector.modify(one, selectors.EVENT_READ, key.data)
                continue
            answer = one.recv(4096)
        except OSError:
            # Cut off while it waited, as on a machine that is too busy: it comes again.
            answer = b""
        selector.unregister(one)
        if answer == b"":
            one.close()
            connect(key.data)
        elif b" 101 " in answer[:20]:
            crowd.append(one)
        else:
            sys.exit(f"turned away: {answer[:100]!r}")


crowd = []
while True:
    come()
    while len(crowd) < count:
        turn(5)
    print(f"{count} open", flush=True)
    signal.sigwait({signal.SIGUSR1})
    for one in crowd:
        one.close()
    crowd.clear()
