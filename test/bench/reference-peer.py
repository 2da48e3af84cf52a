"""libtorrent as the reference: seed.ts runs it as a process of its own.

seed  TORRENT FOLDER          prints {"port": n} and seeds until it is ended
leech TORRENT FOLDER PORT...  downloads from those ports of loopback, prints {"seconds": s}
"""

import json
import sys
import time

import libtorrent as lt

settings = {
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_outgoing_utp": False,
    "enable_incoming_utp": False,
    "listen_interfaces": "127.0.0.1:0",
    "allow_multiple_connections_per_ip": True,
    "alert_mask": 0,
}


def add(session, torrent, folder, flags):
    with open(torrent, "rb") as file:
        metainfo = lt.bdecode(file.read())
    # Over HTTP the seeder under test would serve the reference's downloads too.
    metainfo.pop(b"url-list", None)
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(metainfo)
    params.save_path = folder
    params.flags = flags
    return session.add_torrent(params)


def seed(torrent, folder):
    session = lt.session(settings)
    add(session, torrent, folder, lt.torrent_flags.seed_mode | lt.torrent_flags.upload_mode)
    while session.listen_port() == 0:
        time.sleep(0.01)
    print(json.dumps({"port": session.listen_port()}), flush=True)
    while True:
        time.sleep(3600)


def leech(torrent, folder, ports):
    session = lt.session(settings)
    handle = add(session, torrent, folder, lt.torrent_flags.update_subscribe)
    while handle.status().state not in (lt.torrent_status.downloading, lt.torrent_status.seeding):
        time.sleep(0.005)
    started = time.monotonic()
    for port in ports:
        handle.connect_peer(("127.0.0.1", port))
    while not handle.status().is_seeding:
        if time.monotonic() - started > 240:
            sys.exit("no end after 240 s: " + str(handle.status().progress))
        time.sleep(0.005)
    print(json.dumps({"seconds": time.monotonic() - started}), flush=True)


mode, torrent, folder, *ports = sys.argv[1:]
if mode == "seed":
    seed(torrent, folder)
else:
    leech(torrent, folder, [int(port) for port in ports])
