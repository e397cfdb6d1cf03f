//! What waits for control: a bounded queue, and a descriptor that can be read when there is something after nothing.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ngdaemon_engine::plan::SocketId;
use ngdaemon_engine::report::Event;
use rustix::event::{EventfdFlags, eventfd};

/// Events that wait for `drain`. What comes while there is no room is lost.
pub const MAX_EVENTS: usize = 4096;

/// What control is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// By the packet path.
    Event(Event),
    /// Something that belongs into the log.
    Trouble {
        /// Whose.
        call: Arc<str>,
        /// Where; `None` for all of the call.
        socket: Option<SocketId>,
        /// A sentence.
        text: String,
    },
}

#[derive(Default)]
struct Waiting {
    notices: VecDeque<Notice>,
    /// Control knows that there are some.
    told: bool,
    /// The descriptor can be read.
    raised: bool,
}

/// The queue from all workers to control.
pub struct Events {
    waiting: Mutex<Waiting>,
    descriptor: OwnedFd,
}

impl Events {
    /// An empty one.
    pub fn new() -> io::Result<Self> {
        let descriptor = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { waiting: Mutex::default(), descriptor })
    }

    /// Keep this for control; false when there is no room.
    pub fn push(&self, notice: Notice) -> bool {
        let mut waiting = self.lock();
        if waiting.notices.len() >= MAX_EVENTS {
            return false;
        }
        waiting.notices.push_back(notice);
        if !waiting.told {
            (waiting.told, waiting.raised) = (true, true);
            raise(self.descriptor.as_fd());
        }
        true
    }

    /// Control has seen that the descriptor can be read, and is told no more until it drains.
    pub fn acknowledge(&self) {
        self.lower(&mut self.lock());
    }

    /// What waited, oldest first.
    pub fn drain(&self) -> VecDeque<Notice> {
        let mut waiting = self.lock();
        self.lower(&mut waiting);
        waiting.told = false;
        std::mem::take(&mut waiting.notices)
    }

    fn lower(&self, waiting: &mut Waiting) {
        if std::mem::take(&mut waiting.raised) {
            let _ = rustix::io::read(&self.descriptor, &mut [0; 8]);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Make an eventfd readable.
pub fn raise(descriptor: BorrowedFd<'_>) {
    let _ = rustix::io::write(descriptor, &1_u64.to_ne_bytes()); // which fails only where it is readable already
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    fn trouble() -> Notice {
        Notice::Trouble { call: "call".into(), socket: None, text: String::new() }
    }

    fn readable(events: &Events) -> bool {
        let mut fds = [PollFd::new(events, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() == 1
    }

    #[test]
    fn control_is_told_once_until_it_drains() {
        let events = Events::new().unwrap();
        assert!(!readable(&events));
        events.push(trouble());
        assert!(readable(&events));
        events.acknowledge();
        events.push(trouble());
        assert!(!readable(&events));
        assert_eq!(events.drain().len(), 2);
        events.push(trouble());
        assert!(readable(&events));
        assert_eq!(events.drain().len(), 1);
        assert!(!readable(&events));
    }

    #[test]
    fn there_is_room_for_so_many() {
        let events = Events::new().unwrap();
        assert!((0..MAX_EVENTS).all(|_| events.push(trouble())));
        assert!(!events.push(trouble()));
        assert_eq!(events.drain().len(), MAX_EVENTS);
        assert!(events.push(trouble()));
    }
}
