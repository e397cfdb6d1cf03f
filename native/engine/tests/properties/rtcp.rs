//! Any compound is read as far as it is whole, keeps its length, and comes back when a shift is undone.

use ngdaemon_engine::bundle::reporters;
use ngdaemon_engine::reports::without_shift;
use ngdaemon_engine::rtp::rtcp::without_feedback;

/// Whatever the octets.
pub fn holds(data: &[u8]) {
    if let Ok(left) = without_feedback(data) {
        assert!(left.len() <= data.len());
        assert!(left.is_empty() || without_feedback(&left).as_ref() == Ok(&left));
    }
    let (_, about) = reporters(data);
    assert!(about.count() <= data.len() / 4);
    let (shift, mut changed) = (|ssrc: u32| i64::from(ssrc % 7) * 30_001 - 90_000, data.to_vec());
    without_shift(&mut changed, shift);
    assert_eq!(changed.len(), data.len());
    without_shift(&mut changed, |ssrc| -shift(ssrc));
    assert_eq!(changed, data);
}
