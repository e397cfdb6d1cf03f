//! A thread that carries the packets of its calls.
//!
//! Each turn it waits for ports that can be read, and gives each of them its part: one datagram, or a few where one was
//! there in the turn before as well. So ports take turns and none can starve the others; there is no queue but the
//! kernel's, which drops the newest when it is full. Between two ports it looks whether control wants something.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use ngdaemon_engine::outlet::Slot;
use ngdaemon_engine::own::Own;
use ngdaemon_engine::pipeline::Pipeline;
use ngdaemon_engine::plan::{Plan, SocketId};
use ngdaemon_engine::report::SocketCounters;
use ngdaemon_engine::srtp::MAX_TRAILER;
use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::io::Errno;

use crate::clock;
use crate::events::Events;
use crate::guard::{caught, keep_quiet};
use crate::inbox::{Command, Inbox};
use crate::port::{DATAGRAM, Port};
use crate::seats::Seats;

/// Ports that are served before timers get their turn.
const READY: usize = 256;
/// Datagrams of one port and turn, where more than one is likely to wait: a try in vain costs more than another turn.
const FEW: usize = 4;
/// With more ports ready than that turns take so long that one packet after the other is nothing unusual.
const CROWD: usize = 8;
/// How the command queue is told from ports.
const INBOX: u64 = u64::MAX;

/// All that a thread works with.
pub struct Worker {
    inbox: Arc<Inbox>,
    commands: Vec<Command>,
    poller: OwnedFd,
    ready: Vec<epoll::Event>,
    pipeline: Pipeline,
    seats: Seats,
    packet: Vec<u8>,
    now: f64,
    turn: u64,
    stopped: bool,
}

impl Worker {
    /// A worker without ports, in the thread that it will work in.
    pub fn new(inbox: Arc<Inbox>, own: Arc<Own>, events: Arc<Events>) -> io::Result<Self> {
        let poller = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let edge = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&poller, &*inbox, epoll::EventData::new_u64(INBOX), edge)?;
        Ok(Self {
            inbox,
            commands: Vec::new(),
            poller,
            ready: Vec::with_capacity(READY),
            pipeline: Pipeline::new(own),
            seats: Seats::new(events),
            packet: Vec::with_capacity(DATAGRAM + MAX_TRAILER),
            now: clock::monotonic(),
            turn: 0,
            stopped: false,
        })
    }

    /// Work until control says that it is enough.
    pub fn run(mut self) {
        keep_quiet();
        while !self.stopped {
            if let Err(text) = caught(|| self.take_turn()) {
                self.seats.complain("".into(), None, format!("media worker: {text}"));
            }
        }
    }

    fn take_turn(&mut self) {
        self.wait();
        self.obey();
        for index in 0..self.ready.len() {
            let number = self.ready[index].data.u64();
            if number != INBOX {
                self.serve(number as Slot);
                self.obey();
            }
        }
        if self.pipeline.next_timeout().is_some_and(|due| due <= self.now) {
            self.pipeline.handle_timer(self.now, &mut self.seats);
        }
    }

    /// Wait for something to do.
    fn wait(&mut self) {
        self.ready.clear();
        let timeout = self.pipeline.next_timeout().map(|due| clock::until(due, clock::monotonic()));
        let _ = epoll::wait(&self.poller, spare_capacity(&mut self.ready), timeout.as_ref()); // interrupted: none ready
        self.turn += 1;
        self.now = clock::monotonic();
    }

    // packets

    /// Read and handle what a port has received.
    fn serve(&mut self, slot: Slot) {
        let (turn, crowded) = (self.turn, self.ready.len() > CROWD);
        let Some(seat) = self.seats.at(slot).filter(|seat| seat.watched) else {
            return; // closed since it was found ready
        };
        let most = if seat.turn + 1 == turn && !crowded { FEW } else { 1 };
        seat.turn = turn;
        for _ in 0..most {
            if !self.take_one(slot) {
                return;
            }
        }
    }

    /// Read and handle one datagram; false where there was none.
    fn take_one(&mut self, slot: Slot) -> bool {
        let Self { pipeline, seats, packet, now, .. } = self;
        let Some(seat) = seats.at(slot) else {
            return false;
        };
        match seat.port.receive(packet) {
            Ok(source) => {
                if let Err(text) = caught(|| pipeline.receive(slot, packet, source, *now, seats)) {
                    self.fail(slot, &text);
                }
            }
            Err(Errno::AGAIN) => return false,
            Err(_) => pipeline.missed(slot, 1),
        }
        true
    }

    /// Count a packet that met a bug, and report the first one of a port.
    fn fail(&mut self, slot: Slot, text: &str) {
        self.pipeline.missed(slot, 1);
        if let Some(seat) = self.seats.at(slot).filter(|seat| !seat.failed) {
            seat.failed = true;
            let text = format!("a packet at {} was not handled: {text}", seat.port.local);
            let (call, socket) = (Arc::clone(&seat.port.call), seat.port.id);
            self.seats.complain(call, Some(socket), text);
        }
    }

    // commands

    /// Do what control asks for, if it does.
    fn obey(&mut self) {
        if !self.inbox.has_some() {
            return;
        }
        self.now = clock::monotonic();
        let mut commands = std::mem::take(&mut self.commands);
        self.inbox.take(&mut commands);
        for command in commands.drain(..) {
            self.execute(command);
        }
        self.commands = commands;
    }

    /// An answer that nobody waits for any more is not missed.
    fn execute(&mut self, command: Command) {
        match command {
            Command::Open(port) => self.open(port),
            Command::Close(socket, answer) => {
                if let Some(slot) = self.pipeline.close(socket) {
                    self.seats.remove(slot);
                }
                let _ = answer.send(());
            }
            Command::Apply(call, plan, answer) => {
                self.apply(&call, &plan);
                if let Some(answer) = answer {
                    let _ = answer.send(());
                }
            }
            Command::Counters(call, answer) => {
                let _ = answer.send(self.counters(&call));
            }
            Command::Octets(answer) => {
                let _ = answer.send(self.pipeline.octets());
            }
            Command::Stop => self.stopped = true,
        }
    }

    fn open(&mut self, port: Arc<Port>) {
        let slot = self.pipeline.open(Arc::clone(&port.call), port.id, port.local);
        self.seats.add(slot, port);
    }

    /// Put a plan into force, and listen at the ports that it names.
    fn apply(&mut self, call: &Arc<str>, plan: &Plan) {
        let Self { pipeline, seats, now, .. } = self;
        match caught(|| pipeline.apply(call, plan, *now, seats)) {
            Ok(closed) => closed.into_iter().for_each(|slot| seats.remove(slot)),
            Err(text) => seats.complain(Arc::clone(call), None, format!("a plan was not put into force: {text}")),
        }
        for planned in &plan.sockets {
            self.attend(planned.id, call, planned.tos);
        }
    }

    fn attend(&mut self, socket: SocketId, call: &str, tos: Option<u8>) {
        let Some(slot) = self.seats.slot_of(socket, call) else {
            return;
        };
        let Some(seat) = self.seats.at(slot) else {
            return;
        };
        let mut trouble = None;
        if seat.tos != tos {
            seat.tos = tos;
            if let Err(error) = seat.port.mark(tos) {
                let tos = tos.map_or("the system's".to_owned(), |tos| tos.to_string());
                trouble = Some(format!("TOS {tos} was refused for {}: {error}", seat.port.local));
            }
        }
        if !seat.watched {
            let data = epoll::EventData::new_u64(slot as u64);
            match epoll::add(&self.poller, &*seat.port, data, epoll::EventFlags::IN) {
                Ok(()) => seat.watched = true,
                Err(error) => trouble = Some(format!("{} cannot be listened at: {error}", seat.port.local)),
            }
        }
        if let Some(text) = trouble {
            let call = Arc::clone(&seat.port.call);
            self.seats.complain(call, Some(socket), text);
        }
    }

    /// What the packet path counted, with what control sent. What the kernel dropped is among the errors.
    ///
    /// It is asked where packets have come at all: what overflowed before the first one was read is found out later.
    fn counters(&mut self, call: &str) -> Vec<(SocketId, SocketCounters)> {
        let counted = self.pipeline.counters(call);
        counted.into_iter().map(|(socket, slot, counters)| (socket, self.completed(slot, counters))).collect()
    }

    fn completed(&mut self, slot: Slot, mut counters: SocketCounters) -> SocketCounters {
        if let Some(seat) = self.seats.at(slot) {
            if counters.last_packet.is_some() || counters.errors_in > 0 {
                let drops = seat.port.take_drops();
                self.pipeline.missed(slot, drops);
                counters.errors_in += drops;
            }
            seat.port.add_control(&mut counters);
        }
        counters
    }
}
