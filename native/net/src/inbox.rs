//! What control asks of a worker: a queue, a flag that costs nothing to look at, and a descriptor to wake it by.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ngdaemon_engine::plan::{Plan, SocketId};
use ngdaemon_engine::report::SocketCounters;
use rustix::event::{EventfdFlags, eventfd};

use crate::events::raise;
use crate::port::Port;

/// Where the answer goes.
pub type Answer<T> = SyncSender<T>;

/// What control asks for. They are obeyed in order, between two packets.
pub enum Command {
    /// A port was bound.
    Open(Arc<Port>),
    /// Close one that no plan has named. The answer comes when it is closed.
    Close(SocketId, Answer<()>),
    /// Put a plan into force. The answer, where one is wanted, comes when all that it does not name is closed.
    Apply(Arc<str>, Box<Plan>, Option<Answer<()>>),
    /// What passed the ports of a call.
    Counters(Arc<str>, Answer<Vec<(SocketId, SocketCounters)>>),
    /// Octets of media sent to peers since the start.
    Octets(Answer<u64>),
    /// End.
    Stop,
}

/// The commands that wait for one worker.
pub struct Inbox {
    commands: Mutex<Vec<Command>>,
    waiting: AtomicBool,
    descriptor: OwnedFd,
}

impl Inbox {
    /// An empty one.
    pub fn new() -> io::Result<Self> {
        let descriptor = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { commands: Mutex::default(), waiting: AtomicBool::new(false), descriptor })
    }

    /// Add a command.
    pub fn push(&self, command: Command) {
        self.lock().push(command);
        if !self.waiting.swap(true, Ordering::AcqRel) {
            raise(self.descriptor.as_fd());
        }
    }

    /// Whether there are any.
    pub fn has_some(&self) -> bool {
        self.waiting.load(Ordering::Acquire)
    }

    /// Swap those that wait, oldest first, for an empty list.
    pub fn take(&self, commands: &mut Vec<Command>) {
        self.waiting.store(false, Ordering::Release); // before the list is taken: what comes now wakes us again
        std::mem::swap(&mut *self.lock(), commands);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Command>> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsFd for Inbox {
    /// Rises when commands come after there were none. It is never read: who watches it watches the edge.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
