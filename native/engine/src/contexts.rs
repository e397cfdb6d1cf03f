//! The SRTP state of one call, by key: what was received and sent with it outlasts sockets and plans (contract 12).

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use crate::lane::Sender;
use crate::plan::{Plan, Protection};
use crate::reports::without_shift;
use crate::srtp::{Inbound, Keys};

/// Keys of a call that are not sent with any more, whose indices are remembered. The oldest gives way.
pub const MAX_RETIRED: usize = 16;

/// What several sockets of a call use.
pub type Shared<T> = Rc<RefCell<T>>;

/// Rollover counters, replay windows and indices of a call. It has a handful of keys, in the order in which they came.
///
/// They are made by `Pipeline::apply` and dropped with the last plan that has the key, but for what was sent: a key may
/// come back (media is taken out of a call and put in again with the same `a=crypto`), and would then repeat its
/// keystream.
#[derive(Default)]
pub struct Contexts {
    inbounds: Vec<(Arc<Keys>, Shared<Inbound>)>,
    senders: Vec<(Arc<Keys>, Shared<Sender>)>,
    retired: VecDeque<(Arc<Keys>, Shared<Sender>)>,
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
        if let Some((_, inbound)) = self.inbounds.iter().find(|(known, _)| known == keys) {
            return Some(inbound.clone());
        }
        let mut inbound = Inbound::new(Keys::clone(keys)).ok()?;
        if let Some(first) = before.first() {
            inbound.expect(&first.borrow().state());
        }
        let inbound = Rc::new(RefCell::new(inbound));
        self.inbounds.push((keys.clone(), inbound.clone()));
        Some(inbound)
    }

    /// What sends from a socket, which had `before` until now; `None` while keys are awaited.
    pub fn sender(&mut self, protection: &Protection, before: Option<&Shared<Sender>>) -> Option<Shared<Sender>> {
        let keys = protection.send.as_ref()?;
        let sender = match self.senders.iter().find(|(known, _)| known == keys) {
            Some((_, sender)) => sender.clone(),
            None => {
                let sender = match self.retired.iter().position(|(known, _)| known == keys) {
                    Some(place) => self.retired.remove(place)?.1,
                    None => Rc::new(RefCell::new(begun(keys, before)?)),
                };
                self.senders.push((keys.clone(), sender.clone()));
                sender
            }
        };
        sender.borrow_mut().numbering.start_low(protection.low_start);
        Some(sender)
    }

    /// Change RTCP that arrived where `sender` sends to the sequence numbers that the sources reported on know.
    ///
    /// Without rtcp-mux a report may come to a port with other keys than what it is about was sent with.
    pub fn put_back(&self, report: &mut [u8], sender: Option<&Shared<Sender>>) {
        if !self.senders.iter().any(|(_, each)| each.borrow().numbering.shifted) {
            return;
        }
        without_shift(report, |ssrc| {
            let all = sender.into_iter().chain(self.senders.iter().map(|(_, each)| each));
            let shift = |each: &Shared<Sender>| {
                let numbering = &each.borrow().numbering;
                numbering.has(ssrc).then(|| numbering.shift_of(ssrc))
            };
            all.filter_map(shift).next().unwrap_or(0)
        });
    }

    /// Forget the keys that the plan does not have, and what was received with them.
    pub fn keep(&mut self, plan: &Plan) {
        let protections = || plan.sockets.iter().filter_map(|socket| socket.protection.as_ref());
        self.inbounds.retain(|(keys, _)| protections().any(|each| each.receive.contains(keys)));
        let sent = |keys: &Arc<Keys>| protections().any(|each| each.send.as_ref() == Some(keys));
        let (kept, gone) = self.senders.drain(..).partition(|(keys, _)| sent(keys));
        self.senders = kept;
        let gone: Vec<_> = gone;
        self.retired.extend(gone);
        while self.retired.len() > MAX_RETIRED {
            self.retired.pop_front();
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
