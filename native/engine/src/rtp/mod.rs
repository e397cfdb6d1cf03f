//! RTP and RTCP on the wire: `ngdaemon/rtp`, as far as the packet path reads it.

pub mod demux;
pub mod packet;
pub mod rtcp;
