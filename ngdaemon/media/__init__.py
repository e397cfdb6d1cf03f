"""The seam between control and packets: plans and events as plain data, and the reference packet path."""
