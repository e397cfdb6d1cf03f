//! Where the packets of one port go: its routes, and in a BUNDLE which of them are for which media.

use std::rc::Rc;

use crate::bundle::{Bundle, Media, reporters};
use crate::contexts::Shared;
use crate::filters::changes;
use crate::lane::{Lane, Sender};
use crate::outlet::{Outlet, Slot};
use crate::plan::{Carries, Route, SocketId};
use crate::rtp::demux::Kind;
use crate::surroundings::Surroundings;

/// A route as it is put into force: how packets leave, what they are sent with, and whether that port is secured.
#[derive(Clone)]
pub struct Line<'a> {
    /// As planned.
    pub route: &'a Route,
    /// The port that packets leave from.
    pub sink: Slot,
    /// `None` while keys are awaited, and for a clear port.
    pub sender: Option<Shared<Sender>>,
    /// Packets leave protected or not at all.
    pub secured: bool,
}

/// A route, with what leads its packets out.
pub struct Link {
    /// As planned.
    pub route: Route,
    /// Its media; `None` for a route that all medias follow.
    pub media: Option<Media>,
    /// RTP passes in another way than as it is, or not at all.
    pub changes: bool,
    lane: Lane,
    secured: bool,
}

impl Link {
    fn new(line: &Line, bundle: Option<&Bundle>) -> Self {
        let media = match (bundle, &line.route.selector) {
            (Some(bundle), Some(selector)) => bundle.media(selector),
            _ => None,
        };
        Self {
            route: line.route.clone(),
            media,
            changes: changes(line.route),
            lane: Lane::new(line.route.source, line.sink, line.sender.clone()),
            secured: line.secured,
        }
    }

    /// Whether the line would make the same link.
    fn is_of(&self, line: &Line) -> bool {
        let same = match (&self.lane.sender, &line.sender) {
            (Some(one), Some(other)) => Rc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        same && self.secured == line.secured && self.lane.sink == line.sink && self.route == *line.route
    }

    /// The port that packets leave from.
    pub fn sink(&self) -> Slot {
        self.lane.sink
    }

    /// Whether `deliver` may change the packet.
    pub fn protects(&self) -> bool {
        self.secured && self.route.carries != Carries::Any
    }

    /// Lead a clear packet out, which is protected where it lies.
    pub fn deliver(&self, packet: &mut Vec<u8>, around: &mut Surroundings<impl Outlet>) {
        match self.route.carries {
            Carries::Rtp if self.secured => self.lane.rtp(packet, around),
            Carries::Rtcp if self.secured => self.lane.rtcp(packet, around),
            // of which a secured port sends nothing: there is no protecting what is not RTP
            _ => around.send(self.lane.sink, packet),
        }
    }
}

/// Which routes a packet follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Following {
    /// Those that carry this.
    pub carries: Carries,
    /// In a BUNDLE those of this media, and those that all medias follow.
    pub media: Option<Media>,
}

/// The routes of one port.
#[derive(Default)]
pub struct Links {
    links: Vec<Link>,
    /// The medias of these routes, where they have any.
    pub bundle: Option<Bundle>,
}

impl Links {
    /// `before`: what the port had until now.
    pub fn new(lines: &[Line], before: &Links) -> Self {
        let mut selectors = lines.iter().filter_map(|line| line.route.selector.clone()).peekable();
        let bundle = selectors.peek().is_some().then(|| Bundle::new(selectors, before.bundle.as_ref()));
        Self { links: lines.iter().map(|line| Link::new(line, bundle.as_ref())).collect(), bundle }
    }

    /// Whether they were made of such lines.
    pub fn are_of(&self, lines: &[Line]) -> bool {
        self.links.len() == lines.len() && self.links.iter().zip(lines).all(|(link, line)| link.is_of(line))
    }

    /// The link at a place, which is there until the routes change.
    pub fn at(&self, place: usize) -> Option<&Link> {
        self.links.get(place)
    }

    /// The place of the only link that is followed; `None` where there are none or several.
    pub fn only(&self, following: Following) -> Option<usize> {
        let mut places = (0..self.links.len()).filter(|place| follows(&self.links[*place], following));
        places.next().filter(|_| places.next().is_none())
    }

    /// The links that are followed.
    pub fn followed(&self, following: Following) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(move |link| follows(link, following))
    }

    /// The routes of a clear packet. `sender`: what is sent to its peer with, if the port is secured.
    pub fn of(&mut self, data: &[u8], kind: Kind, carries: Carries, sender: Option<&Shared<Sender>>) -> Following {
        let media = match (self.bundle.as_mut(), kind) {
            (None, _) => None,
            (Some(_), Kind::Rtcp) => self.media_of_rtcp(data, carries, sender),
            (Some(bundle), Kind::Rtp) => bundle.of_rtp(data),
            _ => None,
        };
        Following { carries, media }
    }

    /// By the sender of the report, else by what it is about, else the first media's (contract 14).
    fn media_of_rtcp(&self, data: &[u8], carries: Carries, sender: Option<&Shared<Sender>>) -> Option<Media> {
        let bundle = self.bundle.as_ref()?;
        let (reporter, mut about) = reporters(data);
        let media_about = |ssrc: u32| match sender.and_then(|sender| sender.borrow().numbering.source_of(ssrc)) {
            Some(source) => self.media_to(source),
            None => bundle.of_ssrc(ssrc),
        };
        let first = || self.links.iter().filter(|link| link.route.carries == carries).find_map(|link| link.media);
        bundle.of_ssrc(reporter).or_else(|| about.find_map(media_about)).or_else(first)
    }

    /// The media that is sent to that port: what comes from there to our peer belongs to it too.
    fn media_to(&self, sink: SocketId) -> Option<Media> {
        let to = |link: &&Link| link.route.carries == Carries::Rtp && link.route.sink == sink;
        self.links.iter().filter(to).find_map(|link| link.media)
    }
}

fn follows(link: &Link, following: Following) -> bool {
    link.route.carries == following.carries && (link.media.is_none() || link.media == following.media)
}
