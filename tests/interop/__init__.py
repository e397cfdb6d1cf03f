"""Real peers over real sockets: Kamailio with the shipped configuration, SIPp and baresip phones, a media daemon.

Each test builds its own network out of namespaces, so it meets nobody else's ports, and watches the wire at each phone.
"""
