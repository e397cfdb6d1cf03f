//! Loop protection: a datagram that is sent to one of our own sockets is sent there once (security case S14).

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::mem;
use std::sync::OnceLock;

/// Seconds for which a datagram is remembered at least, unless more than `MAX_REMEMBERED` come in that time.
pub const MEMORY: f64 = 1.0;
/// Datagrams.
pub const MAX_REMEMBERED: usize = 1024;

type Marks = HashSet<u64, BuildHasherDefault<Mark>>;

/// Remembers what a socket sent to sockets of ours. Two calls that are chained through us pass; loops do not.
#[derive(Debug, Default)]
pub struct LoopGuard {
    recent: Marks,
    before: Marks,
    since: f64,
}

impl LoopGuard {
    /// Whether the datagram was not sent of late; it is remembered.
    pub fn passes(&mut self, data: &[u8], now: f64) -> bool {
        if now - self.since >= MEMORY || self.recent.len() >= MAX_REMEMBERED {
            mem::swap(&mut self.recent, &mut self.before);
            self.recent.clear();
            if now - self.since >= 2.0 * MEMORY {
                self.before.clear();
            }
            self.since = now;
        }
        let mark = mark(data);
        !self.before.contains(&mark) && self.recent.insert(mark)
    }
}

/// What a datagram is known by. The key is this process's own: nobody can make two that look alike.
fn mark(data: &[u8]) -> u64 {
    static KEY: OnceLock<RandomState> = OnceLock::new();
    KEY.get_or_init(RandomState::new).hash_one(data)
}

/// Marks are hashes already.
#[derive(Default)]
struct Mark(u64);

impl Hasher for Mark {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("marks are hashed as numbers");
    }

    fn write_u64(&mut self, mark: u64) {
        self.0 = mark;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(number: usize) -> [u8; 8] {
        number.to_be_bytes()
    }

    #[test]
    fn a_datagram_passes_once_within_a_second() {
        let mut guard = LoopGuard::default();
        assert!(guard.passes(b"a", 0.0));
        assert!(guard.passes(b"b", 0.0));
        assert!(!guard.passes(b"a", 0.0));
        assert!(!guard.passes(b"a", MEMORY - 0.01));
    }

    #[test]
    fn it_is_remembered_for_a_second_at_least_also_when_others_come_later() {
        let mut guard = LoopGuard::default();
        for number in 0..100 {
            let at = number as f64 * MEMORY / 10.0;
            assert!(guard.passes(&datagram(number), at));
            assert!(!guard.passes(&datagram(number.saturating_sub(9)), at));
        }
    }

    #[test]
    fn it_may_pass_again_later() {
        let mut guard = LoopGuard::default();
        assert!(guard.passes(b"a", 0.0));
        assert!(guard.passes(b"a", 2.0 * MEMORY));
    }

    #[test]
    fn the_memory_is_bounded_and_still_knows_the_newest() {
        let mut guard = LoopGuard::default();
        for number in 0..10 * MAX_REMEMBERED {
            assert!(guard.passes(&datagram(number), 0.0));
        }
        assert!(guard.recent.len() + guard.before.len() <= 2 * MAX_REMEMBERED);
        for number in 9 * MAX_REMEMBERED..10 * MAX_REMEMBERED {
            assert!(!guard.passes(&datagram(number), 0.0));
        }
    }
}
