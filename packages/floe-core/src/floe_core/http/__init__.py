"""HTTP for plugins that talk to servers nobody here answers for: bounded in time and size, and tight-lipped.

`urls` needs the standard library only. `guard` and `delivery` import requests, urllib3 and tenacity, so they are
imported where a request is made; a distribution that uses them depends on `floe-core[http]`.
"""
