//! Which packet indices were used: the replay list of a receiver, the memory of a sender (RFC 3711 §3.3).

/// RFC 3711 §3.3.2 has the least.
pub const SMALLEST: usize = 64;
/// No sequence number tells of more than half a cycle.
pub const LARGEST: usize = 1 << 15;

const HALF: i64 = 1 << 15;
/// Sequence numbers, after which the rollover counter goes up.
pub const CYCLE: i64 = 1 << 16;

/// What index a sequence number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// One that was not used.
    Free(u64),
    /// One that was used, or is too old to know.
    Used,
    /// One from before the first cycle.
    Early,
}

/// The packet index (48 bits: rollover counter and sequence number) that a sequence number most likely stands for.
///
/// `highest` is the highest index so far (RFC 3711 §3.3.1, appendix A), -1 for none. Negative when the packet would be
/// from before the first cycle.
pub fn estimate(highest: i64, sequence: u16) -> i64 {
    let index = (highest & !0xFFFF) | i64::from(sequence);
    match index - highest {
        ahead if ahead > HALF => index - CYCLE,
        ahead if ahead < -HALF => index + CYCLE,
        _ => index,
    }
}

/// The highest index and which of those behind it were used; what is further behind counts as used.
#[derive(Debug)]
pub struct Window {
    size: i64,
    /// -1 for none.
    highest: i64,
    /// A ring: the bit of an index is at its remainder.
    bits: Box<[u64]>,
}

impl Window {
    /// A window of so many packets, within the bounds, where nothing was used.
    pub fn new(size: usize) -> Self {
        let words = size.clamp(SMALLEST, LARGEST).div_ceil(64);
        Self { size: size.clamp(SMALLEST, LARGEST) as i64, highest: -1, bits: vec![0; words].into() }
    }

    /// The window as it was written down: its highest index, and in bit n whether the index n below was used.
    pub fn restored(size: usize, highest: i64, seen: &[u64]) -> Self {
        let mut window = Self::new(size);
        window.highest = highest;
        for behind in 0..window.size.min(highest + 1) {
            let (word, bit) = (behind as usize / 64, behind as usize % 64);
            if seen.get(word).is_some_and(|word| word >> bit & 1 == 1) {
                window.set(highest - behind);
            }
        }
        window
    }

    /// -1 for none.
    pub fn highest(&self) -> i64 {
        self.highest
    }

    /// Bit n tells whether the index n below the highest was used.
    pub fn seen(&self) -> Vec<u64> {
        let mut seen = vec![0; self.bits.len()];
        for behind in 0..self.size.min(self.highest + 1) {
            if self.is_set(self.highest - behind) {
                seen[behind as usize / 64] |= 1 << (behind % 64);
            }
        }
        seen
    }

    /// The index that a sequence number stands for, as `estimate` says.
    pub fn place(&self, sequence: u16) -> Place {
        let index = estimate(self.highest, sequence);
        if index < 0 {
            return if self.highest < 0 { Place::Free(sequence.into()) } else { Place::Early };
        }
        if self.used(index as u64) { Place::Used } else { Place::Free(index as u64) }
    }

    /// Whether the index was used, or is too old to know.
    pub fn used(&self, index: u64) -> bool {
        let behind = self.highest - index as i64;
        behind >= 0 && (behind >= self.size || self.is_set(index as i64))
    }

    /// Remember an index that was not used.
    pub fn take(&mut self, index: u64) {
        let index = index as i64;
        if index > self.highest {
            if index - self.highest >= self.size {
                self.bits.fill(0);
            } else {
                (self.highest + 1..index).for_each(|between| self.clear(between));
            }
            self.highest = index;
        }
        self.set(index);
    }

    /// Take everything up to the highest index as used.
    pub fn close(&mut self) {
        if self.highest >= 0 {
            self.bits.fill(u64::MAX);
        }
    }

    fn slot(&self, index: i64) -> (usize, u64) {
        let at = index as usize % (64 * self.bits.len());
        (at / 64, 1 << (at % 64))
    }

    fn is_set(&self, index: i64) -> bool {
        let (word, bit) = self.slot(index);
        self.bits[word] & bit != 0
    }

    fn set(&mut self, index: i64) {
        let (word, bit) = self.slot(index);
        self.bits[word] |= bit;
    }

    fn clear(&mut self, index: i64) {
        let (word, bit) = self.slot(index);
        self.bits[word] &= !bit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_index_is_free_once() {
        let mut window = Window::new(64);
        for sequence in [10, 12, 11, 13] {
            let Place::Free(index) = window.place(sequence) else { panic!("{sequence} is not free") };
            window.take(index);
            assert_eq!(window.place(sequence), Place::Used);
        }
    }

    #[test]
    fn what_is_too_old_to_know_counts_as_used() {
        let mut window = Window::new(64);
        window.take(1000);
        assert_eq!(window.place(1000 - 63), Place::Free(1000 - 63));
        assert_eq!(window.place(1000 - 64), Place::Used);
    }

    #[test]
    fn a_jump_forgets_what_is_out_of_the_window_only() {
        let mut window = Window::new(64);
        (0..100).for_each(|index| window.take(index));
        window.take(140);
        assert!(window.used(99));
        assert!(!window.used(100));
        window.take(100_000);
        assert!(!window.used(99_999));
        assert!(window.used(100_000 - 64));
    }

    #[test]
    fn the_rollover_counter_goes_up_and_back() {
        let mut window = Window::new(64);
        window.take(65_535);
        assert_eq!(window.place(0), Place::Free(65_536));
        window.take(65_536);
        assert_eq!(window.place(65_534), Place::Free(65_534));
        assert_eq!(window.place(65_535), Place::Used);
    }

    #[test]
    fn nothing_is_from_before_the_first_cycle() {
        let mut window = Window::new(64);
        assert_eq!(window.place(65_000), Place::Free(65_000));
        window.take(5);
        assert_eq!(window.place(65_000), Place::Early);
    }

    #[test]
    fn it_is_written_down_and_read_back() {
        let mut window = Window::new(100);
        for index in [3, 70, 71, 99, 140] {
            window.take(index);
        }
        let again = Window::restored(100, window.highest(), &window.seen());
        for index in 0..200 {
            assert_eq!(again.used(index), window.used(index), "{index}");
        }
        assert_eq!(again.seen(), window.seen());
    }
}
