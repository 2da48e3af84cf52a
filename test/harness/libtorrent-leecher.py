"""Downloads one item with libtorrent: INFOHASH FOLDER PEER. Prints {"bytes", "peers"} 20 times a second.

Ends with 0 once every byte is there. A peer that turns it away is tried again, after longer and longer pauses.
"""

import json
import sys
import time

import libtorrent as lt

info_hash, folder, peer = sys.argv[1:]
host, port = peer.rsplit(":", 1)
session = lt.session(
    {
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_outgoing_utp": False,
        "enable_incoming_utp": False,
        "listen_interfaces": "127.0.0.1:0",
        "min_reconnect_time": 1,
        "max_failcount": 1000,
    }
)
params = lt.parse_magnet_uri("magnet:?xt=urn:btih:" + info_hash)
params.save_path = folder
params.peers = [(host, int(port))]
handle = session.add_torrent(params)
while True:
    status = handle.status()
    print(json.dumps({"bytes": status.total_payload_download, "peers": status.num_peers}), flush=True)
    if status.is_seeding:
        break
    time.sleep(0.05)
handle.flush_cache()
while not any(isinstance(alert, lt.cache_flushed_alert) for alert in session.pop_alerts()):
    session.wait_for_alert(1000)
