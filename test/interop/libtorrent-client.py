"""Downloads a magnet with libtorrent: MAGNET FOLDER. Ends with 0 once every byte is there."""

import sys
import time

import libtorrent as lt

magnet, folder = sys.argv[1:]
session = lt.session(
    {
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "listen_interfaces": "0.0.0.0:0",
        "announce_to_all_trackers": True,
        "announce_to_all_tiers": True,
        "allow_multiple_connections_per_ip": True,
        # The tracker of a test has a private address.
        "ssrf_mitigation": False,
    }
)
params = lt.parse_magnet_uri(magnet)
params.save_path = folder
handle = session.add_torrent(params)
while not handle.status().is_seeding:
    time.sleep(0.05)
session.remove_torrent(handle)
