//! Bugs of ours are caught where a packet or a command met them: they end neither the thread nor the process.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Have panics of this thread kept for `caught`, and not written to standard error: one for each packet fills disks.
pub fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if GUARDED.get() {
                LAST.set(info.to_string());
            } else {
                usual(info);
            }
        }));
    });
    GUARDED.set(true);
}

/// Do something; what went wrong, and where, if that panics.
///
/// The state of a pipeline stays usable: what is being changed at such a moment belongs to one packet or one call.
pub fn caught<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| LAST.take().replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_wrong_is_told_and_ends_nothing() {
        keep_quiet();
        let empty: Vec<u8> = Vec::new();
        let text = caught(|| empty[empty.len()]).unwrap_err();
        assert!(text.contains("guard.rs") && text.contains("out of bounds"), "{text}");
        assert_eq!(caught(|| 7), Ok(7));
    }
}
