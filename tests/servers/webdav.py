"""Serves a folder over WebDAV (WsgiDAV) on a free port, to one user; prints the port when it is ready."""

import sys

from cheroot import wsgi
from wsgidav.fs_dav_provider import FilesystemProvider
from wsgidav.wsgidav_app import WsgiDAVApp

folder, user, password = sys.argv[1:]
app = WsgiDAVApp(
    {
        "provider_mapping": {"/": FilesystemProvider(folder)},
        "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
        "simple_dc": {"user_mapping": {"*": {user: {"password": password}}}},
        "dir_browser": {"enable": False},
        "lock_storage": False,
        "property_manager": False,
        "verbose": 0,
        "logging": {"enable": False},
    }
)
server = wsgi.Server(("127.0.0.1", 0), app, numthreads=16)
server.prepare()
print(server.bind_addr[1], flush=True)
server.serve()
