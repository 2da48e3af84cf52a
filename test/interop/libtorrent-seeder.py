"""Seeds with libtorrent, and speaks to nobody without encryption: TORRENT FOLDER ENCRYPTION. Prints its port.

ENCRYPTION: rc4, or plaintext (after an encrypted handshake).
"""

import sys
import time

import libtorrent as lt

torrent, folder, encryption = sys.argv[1:]
levels = {"plaintext": lt.enc_level.pe_plaintext, "rc4": lt.enc_level.pe_rc4}
session = lt.session(
    {
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "listen_interfaces": "127.0.0.1:0",
        "out_enc_policy": int(lt.enc_policy.pe_forced),
        "in_enc_policy": int(lt.enc_policy.pe_forced),
        "allowed_enc_level": int(levels[encryption]),
    }
)
params = lt.add_torrent_params()
params.ti = lt.torrent_info(torrent)
params.save_path = folder
params.flags = lt.torrent_flags.seed_mode
session.add_torrent(params)
while session.listen_port() == 0:
    time.sleep(0.01)
print(session.listen_port(), flush=True)
while True:
    time.sleep(3600)
