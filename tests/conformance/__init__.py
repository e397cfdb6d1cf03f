"""The contract of forwarders, sentence by sentence, over real sockets; each test runs on each backend."""
