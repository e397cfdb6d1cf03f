//! The SRTP state of one call, by key: what was received and sent with it outlasts sockets and plans (contract 12).

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use crate::lane::Sender;
use crate::plan::{Plan, Protection};
use crate::reports::without_shift;
use crate::srtp::{Inbound, Keys};

/// Keys of a call that are out of use, of each direction, whose indices are remembered. The oldest gives way.
pub const MAX_RETIRED: usize = 16;

/// What several sockets of a call use.
pub type Shared<T> = Rc<RefCell<T>>;

/// Rollover counters, replay windows and indices of a call. It has a handful of keys, in the order in which they came.
///
/// They are made by `Pipeline::apply`, and outlast the last plan that has the key, because it may come back: media is
/// taken out of a call and put in again with the same `a=crypto`. What is sent would repeat its keystream then, and what
/// was received could be replayed, or be of a rollover counter that nobody knows any more (SDES-11).
#[derive(Default)]
pub struct Contexts {
    inbounds: ByKey<Inbound>,
    senders: ByKey<Sender>,
}

impl Contexts {
    /// What takes in the packets of a socket, in order; the socket had `before` until now.
    ///
    /// Peers differ in whether a new key begins with new rollover counters: both are tried (SRTP-07). Keys that cannot
    /// be used, which control does not let pass, take nothing in.
    pub fn receivers(&mut self, protection: &Protection, before: &[Shared<Inbound>]) -> Vec<Shared<Inbound>> {
        protection.receive.iter().filter_map(|keys| self.receiver(keys, before)).collect()
    }

    fn receiver(&mut self, keys: &Arc<Keys>, before: &[Shared<Inbound>]) -> Option<Shared<Inbound>> {
        self.inbounds.of(keys, || {
            let mut inbound = Inbound::new(Keys::clone(keys)).ok()?;
            if let Some(first) = before.first() {
                inbound.expect(&first.borrow().state());
            }
            Some(inbound)
        })
    }

    /// What sends from a socket, which had `before` until now; `None` while keys are awaited.
    pub fn sender(&mut self, protection: &Protection, before: Option<&Shared<Sender>>) -> Option<Shared<Sender>> {
        let keys = protection.send.as_ref()?;
        let sender = self.senders.of(keys, || begun(keys, before))?;
        sender.borrow_mut().numbering.start_low(protection.low_start);
        Some(sender)
    }

    /// Change RTCP that arrived where `sender` sends to the sequence numbers that the sources reported on know.
    ///
    /// Without rtcp-mux a report may come to a port with other keys than what it is about was sent with.
    pub fn put_back(&self, report: &mut [u8], sender: Option<&Shared<Sender>>) {
        if !self.senders.used.iter().any(|(_, each)| each.borrow().numbering.shifted) {
            return;
        }
        without_shift(report, |ssrc| {
            let all = sender.into_iter().chain(self.senders.used.iter().map(|(_, each)| each));
            let shift = |each: &Shared<Sender>| {
                let numbering = &each.borrow().numbering;
                numbering.has(ssrc).then(|| numbering.shift_of(ssrc))
            };
            all.filter_map(shift).next().unwrap_or(0)
        });
    }

    /// Put aside the keys that the plan does not have.
    pub fn keep(&mut self, plan: &Plan) {
        let protections = || plan.sockets.iter().filter_map(|socket| socket.protection.as_ref());
        self.inbounds.put_aside(|keys| !protections().any(|each| each.receive.contains(keys)));
        self.senders.put_aside(|keys| !protections().any(|each| each.send.as_ref() == Some(keys)));
    }
}

/// The state of one direction, by key.
struct ByKey<T> {
    used: Vec<(Arc<Keys>, Shared<T>)>,
    aside: VecDeque<(Arc<Keys>, Shared<T>)>,
}

impl<T> Default for ByKey<T> {
    fn default() -> Self {
        Self { used: Vec::new(), aside: VecDeque::new() }
    }
}

impl<T> ByKey<T> {
    /// That of a key which is in use from now on; `None` where none can be `made`.
    fn of(&mut self, keys: &Arc<Keys>, made: impl FnOnce() -> Option<T>) -> Option<Shared<T>> {
        if let Some((_, known)) = self.used.iter().find(|(known, _)| known == keys) {
            return Some(known.clone());
        }
        let state = match self.aside.iter().position(|(known, _)| known == keys) {
            Some(place) => self.aside.remove(place)?.1,
            None => Rc::new(RefCell::new(made()?)),
        };
        self.used.push((keys.clone(), state.clone()));
        Some(state)
    }

    /// Keep what is out of use apart, as long as there is room.
    fn put_aside(&mut self, is_unused: impl Fn(&Arc<Keys>) -> bool) {
        self.aside.extend(self.used.extract_if(.., |(keys, _)| is_unused(keys)));
        while self.aside.len() > MAX_RETIRED {
            self.aside.pop_front();
        }
    }
}

/// A sender that goes on where the socket's former one was: the peer must not see numbers jump.
fn begun(keys: &Keys, before: Option<&Shared<Sender>>) -> Option<Sender> {
    let mut sender = Sender::new(keys).ok()?;
    if let Some(before) = before {
        sender.numbering.inherit(&before.borrow().numbering);
    }
    Some(sender)
}
