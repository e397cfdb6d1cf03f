//! The clock of all processes of a host that never jumps: what Python calls `time.monotonic()`.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Seconds.
pub fn monotonic() -> f64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// The time from `now` until then, not below zero.
pub fn until(due: f64, now: f64) -> Timespec {
    let seconds = (due - now).clamp(0.0, 3600.0);
    Timespec { tv_sec: seconds as i64, tv_nsec: (seconds.fract() * 1e9) as i64 }
}
