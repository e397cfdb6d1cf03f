"""What tests share: time and randomness that they control, valid messages, a forwarder and a network."""
