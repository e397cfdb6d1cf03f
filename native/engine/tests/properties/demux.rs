//! Any datagram has a class; what is RTP has a header, and silence leaves all but its payload alone.

use ngdaemon_engine::rtp::demux::{Kind, RTCP_LENGTH, classify};
use ngdaemon_engine::rtp::packet::{Fixed, header_length, silence};

/// Whatever the octets.
pub fn holds(data: &[u8]) {
    let kind = classify(data);
    assert!(kind != Kind::Rtcp || data.len() >= RTCP_LENGTH);
    assert!(kind != Kind::Rtp || Fixed::of(data).is_some());
    let (length, mut silenced) = (header_length(data), data.to_vec());
    silence(&mut silenced, 0xD5);
    let kept = length.min(data.len());
    assert_eq!((silenced.len(), &silenced[..kept]), (data.len(), &data[..kept]));
}
