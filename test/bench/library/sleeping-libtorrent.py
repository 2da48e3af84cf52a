"""libtorrent with many idle torrents: sleeping.ts runs it as a process of its own.

COUNT FOLDER TRACKER  prints {"ready": 0}, waits for SIGUSR2, adds torrents of one piece that it takes for whole, prints
{"added": n} and waits until it is ended
"""

import hashlib
import json
import signal
import sys
import time

import libtorrent as lt

count, folder, tracker = int(sys.argv[1]), sys.argv[2], sys.argv[3]
settings = {
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "listen_interfaces": "127.0.0.1:0",
    "active_limit": count * 2,
    "active_seeds": count * 2,
    "active_tracker_limit": count * 2,
    "auto_manage_interval": 1,
    "alert_mask": 0,
}


def metainfo(index):
    pieces = hashlib.sha1(str(index).encode()).digest()
    return {b"info": {b"length": 65536, b"name": b"item-%d" % index, b"piece length": 65536, b"pieces": pieces}}


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
session = lt.session(settings)
print(json.dumps({"ready": 0}), flush=True)
signal.sigwait([signal.SIGUSR2])
for index in range(count):
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(metainfo(index))
    params.save_path = folder
    params.trackers = [tracker]
    params.flags = lt.torrent_flags.seed_mode | lt.torrent_flags.upload_mode
    session.async_add_torrent(params)
while len(session.get_torrents()) < count:
    time.sleep(0.1)
print(json.dumps({"added": count}), flush=True)
while True:
    time.sleep(3600)
