"""The NG control protocol without sockets: datagrams to options, replies to datagrams, retransmissions."""
