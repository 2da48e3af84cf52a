"""Downloads a magnet with libtorrent: MAGNET FOLDER [ENCRYPTION]. Ends with 0 once every byte is there.

ENCRYPTION, forced both ways when it is named: rc4, or plaintext (after an encrypted handshake).
"""

import sys
import time

import libtorrent as lt

magnet, folder, *encryption = sys.argv[1:]
levels = {"plaintext": lt.enc_level.pe_plaintext, "rc4": lt.enc_level.pe_rc4}
forced = {
    "out_enc_policy": int(lt.enc_policy.pe_forced),
    "in_enc_policy": int(lt.enc_policy.pe_forced),
    "allowed_enc_level": int(levels[encryption[0]]),
} if encryption else {}
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
        **forced,
    }
)
params = lt.parse_magnet_uri(magnet)
params.save_path = folder
handle = session.add_torrent(params)
while not handle.status().is_seeding:
    time.sleep(0.05)
session.remove_torrent(handle)
