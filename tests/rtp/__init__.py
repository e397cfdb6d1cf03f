"""Tests of RTP and RTCP."""
