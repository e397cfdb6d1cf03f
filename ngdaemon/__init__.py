"""A media gateway daemon that speaks the rtpengine NG control protocol.

`docs/architecture.md` is the map: layers, the call model, the plan, and the way of a packet.
"""

__version__ = "0.1.0"
