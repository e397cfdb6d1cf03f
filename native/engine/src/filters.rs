//! What of an RTP packet passes a route: blocked and silenced media (ng-protocol.md §2.7).

use crate::plan::Route;

/// How a packet passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// Not at all.
    Dropped,
    /// As it is.
    Whole,
    /// With each octet of its payload replaced (`rtp::packet::silence`).
    Silenced(u8),
}

/// Whether the route lets RTP pass in another way than as it is.
pub fn changes(route: &Route) -> bool {
    route.only.is_some() || !route.dropped.is_empty() || !route.silenced.is_empty()
}

/// How packets of a payload type pass the route.
pub fn passing(route: &Route, payload_type: u8) -> Passing {
    let shut_out = route.only.as_ref().is_some_and(|only| !only.contains(&payload_type));
    if shut_out || route.dropped.contains(&payload_type) {
        return Passing::Dropped;
    }
    match route.silenced.iter().find(|(number, _)| *number == payload_type) {
        Some((_, octet)) => Passing::Silenced(*octet),
        None => Passing::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Carries;

    fn route() -> Route {
        Route::new(1, 2, Carries::Rtp)
    }

    #[test]
    fn everything_passes_a_route_without_filters() {
        assert!(!changes(&route()));
        assert!((0..128).all(|number| passing(&route(), number) == Passing::Whole));
    }

    #[test]
    fn what_is_blocked_does_not_pass() {
        let blocked = Route { dropped: vec![101], ..route() };
        assert!(changes(&blocked));
        assert_eq!([101, 0].map(|number| passing(&blocked, number)), [Passing::Dropped, Passing::Whole]);
    }

    #[test]
    fn only_what_is_named_passes() {
        let only = Route { only: Some(vec![8]), ..route() };
        assert!(changes(&only));
        assert_eq!([8, 0].map(|number| passing(&only, number)), [Passing::Whole, Passing::Dropped]);
        let nothing = Route { only: Some(vec![]), ..route() };
        assert!(changes(&nothing));
        assert_eq!(passing(&nothing, 8), Passing::Dropped);
    }

    #[test]
    fn silence_is_the_first_that_is_named_for_a_payload_type() {
        let silenced = Route { silenced: vec![(0, 0xFF), (8, 0xD5), (0, 1)], ..route() };
        assert!(changes(&silenced));
        let found = [0, 8, 9].map(|number| passing(&silenced, number));
        assert_eq!(found, [Passing::Silenced(0xFF), Passing::Silenced(0xD5), Passing::Whole]);
    }

    #[test]
    fn what_is_blocked_is_not_silenced_instead() {
        let both = Route { dropped: vec![0], silenced: vec![(0, 0xFF)], ..route() };
        assert_eq!(passing(&both, 0), Passing::Dropped);
    }
}
