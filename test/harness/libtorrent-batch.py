"""Downloads many items with one libtorrent session: ASKED is a file of {"peer", "folder", "parallel", "infoHashes"}.
Prints {"done": n} after each hundred that are complete, and ends with 0 once every one is.

A complete item is removed from the session, so at most `parallel` are under way or connected.
"""

import json
import sys

import libtorrent as lt

with open(sys.argv[1], encoding="utf-8") as file:
    asked = json.load(file)
host, port = asked["peer"].rsplit(":", 1)
session = lt.session(
    {
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_outgoing_utp": False,
        "enable_incoming_utp": False,
        "listen_interfaces": "127.0.0.1:0",
        "allow_multiple_connections_per_ip": True,
        "active_downloads": -1,
        "active_limit": -1,
        "connection_speed": 500,
        # A peer that is busy is asked again soon.
        "min_reconnect_time": 1,
        "max_failcount": 1000,
        "alert_mask": lt.alert.category_t.status_notification | lt.alert.category_t.error_notification,
    }
)
waiting = list(reversed(asked["infoHashes"]))
done = 0


def begin():
    params = lt.parse_magnet_uri("magnet:?xt=urn:btih:" + waiting.pop())
    params.save_path = asked["folder"]
    params.peers = [(host, int(port))]
    session.async_add_torrent(params)


for _ in range(min(asked["parallel"], len(waiting))):
    begin()
while done < len(asked["infoHashes"]):
    session.wait_for_alert(1000)
    for alert in session.pop_alerts():
        if isinstance(alert, lt.torrent_finished_alert):
            alert.handle.flush_cache()
        if isinstance(alert, lt.cache_flushed_alert):
            session.remove_torrent(alert.handle)
            done += 1
            if done % 100 == 0:
                print(json.dumps({"done": done}), flush=True)
            if waiting:
                begin()
        if isinstance(alert, lt.torrent_error_alert):
            sys.exit(alert.message())
