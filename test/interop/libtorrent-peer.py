"""Downloads what a .torrent names, or seeds what is there of it, until it is ended: TORRENT FOLDER ADDRESS:PORT."""

import sys
import time

import libtorrent as lt

torrent, folder, listen = sys.argv[1:]
session = lt.session(
    {
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "listen_interfaces": listen,
        # The tracker of a test has a private address.
        "ssrf_mitigation": False,
    }
)
params = lt.add_torrent_params()
params.ti = lt.torrent_info(torrent)
params.save_path = folder
session.add_torrent(params)
while True:
    time.sleep(3600)
