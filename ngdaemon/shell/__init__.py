"""The only place that knows Twisted, sockets, clocks and files: a thin layer around the core."""
