//! What control speaks to: which ports are open, whose they are, and which worker carries their packets.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};

use ngdaemon_engine::own::Own;
use ngdaemon_engine::plan::{Plan, SocketId};
use ngdaemon_engine::report::SocketCounters;

use crate::events::{Events, Notice};
use crate::inbox::{Answer, Command, Inbox};
use crate::port::Port;
use crate::worker::Worker;

struct Hand {
    inbox: Arc<Inbox>,
    thread: JoinHandle<()>,
    /// How many are open.
    ports: usize,
}

struct Call {
    name: Arc<str>,
    /// Which one it belongs to.
    worker: usize,
    sockets: Vec<SocketId>,
}

struct Open {
    port: Arc<Port>,
    /// A plan has named it.
    planned: bool,
}

/// The native forwarder. It ends with its last owner, and all its ports with it.
pub struct Engine {
    workers: Vec<Hand>,
    calls: HashMap<Arc<str>, Call>,
    ports: HashMap<SocketId, Open>,
    events: Arc<Events>,
    last: SocketId,
    /// Octets that control sent.
    control_octets: u64,
}

impl Engine {
    /// Start so many threads; at least one.
    pub fn start(workers: usize) -> io::Result<Self> {
        let (own, events) = (Arc::new(Own::default()), Arc::new(Events::new()?));
        let mut engine = Self {
            workers: Vec::new(),
            calls: HashMap::new(),
            ports: HashMap::new(),
            events,
            last: 0,
            control_octets: 0,
        };
        for number in 0..workers.max(1) {
            let hand = engine.hire(number, Arc::clone(&own))?;
            engine.workers.push(hand);
        }
        Ok(engine)
    }

    fn hire(&self, number: usize, own: Arc<Own>) -> io::Result<Hand> {
        let inbox = Arc::new(Inbox::new()?);
        let (ready, started) = sync_channel(1);
        let (theirs, events) = (Arc::clone(&inbox), Arc::clone(&self.events));
        let thread = thread::Builder::new().name(format!("media-{number}")).spawn(move || {
            match Worker::new(theirs, own, events) {
                Ok(worker) => {
                    let _ = ready.send(Ok(()));
                    worker.run();
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        })?;
        started.recv().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))?;
        Ok(Hand { inbox, thread, ports: 0 })
    }

    /// Take over a UDP socket that is bound and does not block: its number. It stays silent until a plan names it.
    pub fn bind(&mut self, call: &str, socket: OwnedFd) -> io::Result<SocketId> {
        let known = self.calls.get(call);
        let name = known.map_or_else(|| Arc::from(call), |call| Arc::clone(&call.name));
        let worker = known.map_or_else(|| self.idlest(), |call| call.worker);
        let number = self.last + 1;
        let port = Arc::new(Port::new(Arc::clone(&name), number, socket)?);
        self.last = number;
        self.ports.insert(number, Open { port: Arc::clone(&port), planned: false });
        let call = self.calls.entry(Arc::clone(&name)).or_insert(Call { name, worker, sockets: Vec::new() });
        call.sockets.push(number);
        if let Some(hand) = self.workers.get_mut(worker) {
            hand.ports += 1;
            hand.inbox.push(Command::Open(port));
        }
        Ok(number)
    }

    fn idlest(&self) -> usize {
        self.workers.iter().enumerate().min_by_key(|(_, hand)| hand.ports).map_or(0, |(index, _)| index)
    }

    /// Close a socket that no plan has named yet; another one is left alone.
    pub fn unbind(&mut self, socket: SocketId) {
        let Some(open) = self.ports.get(&socket).filter(|open| !open.planned) else {
            return;
        };
        let name = Arc::clone(&open.port.call);
        let worker = self.calls.get(&name).map_or(0, |call| call.worker);
        self.forget(&name, &[socket]);
        self.ask(worker, |answer| Command::Close(socket, answer));
    }

    /// Make this the forwarding of the call. What it does not name is closed when this returns.
    pub fn apply(&mut self, call: &str, plan: Plan) {
        let Some(entry) = self.calls.get(call) else {
            return;
        };
        let (name, worker) = (Arc::clone(&entry.name), entry.worker);
        let named: HashSet<SocketId> = plan.sockets.iter().map(|socket| socket.id).collect();
        let mut closed = Vec::new();
        for number in &entry.sockets {
            if !named.contains(number) {
                closed.push(*number);
            } else if let Some(open) = self.ports.get_mut(number) {
                open.planned = true;
            }
        }
        let plan = Box::new(plan);
        if closed.is_empty() {
            self.tell(worker, Command::Apply(name, plan, None));
        } else {
            self.forget(&name, &closed);
            self.ask(worker, |answer| Command::Apply(name, plan, Some(answer)));
        }
    }

    /// Let ports of a call go, on this side.
    fn forget(&mut self, call: &str, closed: &[SocketId]) {
        let Some(entry) = self.calls.get_mut(call) else {
            return;
        };
        entry.sockets.retain(|number| !closed.contains(number));
        let (worker, ended) = (entry.worker, entry.sockets.is_empty());
        if ended {
            self.calls.remove(call);
        }
        for number in closed {
            self.ports.remove(number);
        }
        if let Some(hand) = self.workers.get_mut(worker) {
            hand.ports -= closed.len();
        }
    }

    /// Send a datagram as it is (STUN, DTLS). Nothing happens for an unknown socket.
    pub fn send(&mut self, socket: SocketId, data: &[u8], to: SocketAddr) {
        if let Some(open) = self.ports.get(&socket) {
            self.control_octets += open.port.send_control(data, to);
        }
    }

    /// What there is to tell since the last call, oldest first.
    pub fn drain(&self) -> VecDeque<Notice> {
        self.events.drain()
    }

    /// Control has seen that there is something; it is told no more until it drains.
    pub fn acknowledge(&self) {
        self.events.acknowledge();
    }

    /// Counters of the bound sockets of a call; none for an unknown call.
    pub fn counters(&self, call: &str) -> Vec<(SocketId, SocketCounters)> {
        let Some(entry) = self.calls.get(call) else {
            return Vec::new();
        };
        self.ask(entry.worker, |answer| Command::Counters(Arc::clone(&entry.name), answer)).unwrap_or_default()
    }

    /// Octets sent to peers since the start, all calls together.
    pub fn octets(&self) -> u64 {
        let media: u64 = (0..self.workers.len()).filter_map(|worker| self.ask(worker, Command::Octets)).sum();
        media + self.control_octets
    }

    fn tell(&self, worker: usize, command: Command) {
        if let Some(hand) = self.workers.get(worker) {
            hand.inbox.push(command);
        }
    }

    /// Wait for a worker's answer; `None` when there is no such worker any more.
    fn ask<T>(&self, worker: usize, command: impl FnOnce(Answer<T>) -> Command) -> Option<T> {
        let (answer, answered) = sync_channel(1);
        self.tell(worker, command(answer));
        answered.recv().ok()
    }
}

impl AsFd for Engine {
    /// Can be read when there is something to `drain` after there was nothing.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for hand in &self.workers {
            hand.inbox.push(Command::Stop);
        }
        for hand in self.workers.drain(..) {
            let _ = hand.thread.join();
        }
    }
}
