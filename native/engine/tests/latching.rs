//! Learning and source checks, packet by packet: what each mode makes of sources that fit the SDP more or less.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ngdaemon_engine::latching::{Latching, Verdict};
use ngdaemon_engine::plan::{LEARNING_WINDOW, Latch, Learning};
use samples::Rng;

#[allow(dead_code)]
#[path = "../src/samples.rs"]
mod samples;

const SIGNALLED: SocketAddr = endpoint([198, 51, 100, 1], 4000);
const EXACT: SocketAddr = SIGNALLED;
const OTHER_PORT: SocketAddr = endpoint([198, 51, 100, 1], 4444);
/// At the SIP source (`received-from`).
const SAME_PORT: SocketAddr = endpoint([203, 0, 113, 7], 4000);
const NOTHING_ALIKE: SocketAddr = endpoint([203, 0, 113, 7], 7777);
const REBOUND: SocketAddr = endpoint([203, 0, 113, 7], 7778);
const STRANGER: SocketAddr = endpoint([192, 0, 2, 66], 4000);

use Verdict::{Accepted, Learned, Refused, Stranger};

const T0: f64 = 1000.0;
/// Seconds after which learning is over.
const LATER: f64 = LEARNING_WINDOW;
const ALL: [Learning; 4] = [Learning::Off, Learning::Immediate, Learning::Delayed, Learning::Heuristic];

const fn endpoint([a, b, c, d]: [u8; 4], port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(a, b, c, d)), port)
}

fn latch(learning: Learning) -> Latch {
    let plausible = HashSet::from([SIGNALLED.ip(), NOTHING_ALIKE.ip()]);
    Latch { learning, plausible: Some(Arc::new(plausible)), generation: 1, ..Latch::default() }
}

fn strict(learning: Learning) -> Latch {
    Latch { strict: true, ..latch(learning) }
}

fn handover(learning: Learning) -> Latch {
    Latch { handover: true, ..latch(learning) }
}

fn latching(rule: Latch) -> Latching {
    Latching::new(Some(SIGNALLED), rule, T0)
}

/// Seconds after the plan, source, what is made of the packet, where the peer is afterwards, and whether for good.
type Step = (f64, SocketAddr, Verdict, SocketAddr, bool);

fn stories() -> Vec<(&'static str, Latch, Vec<Step>)> {
    let mut stories = plain_stories();
    stories.extend(strict_stories());
    stories.extend(handover_stories());
    stories
}

fn plain_stories() -> Vec<(&'static str, Latch, Vec<Step>)> {
    vec![
        (
            "immediate: the first packet confirms",
            latch(Learning::Immediate),
            vec![(0.0, NOTHING_ALIKE, Learned, NOTHING_ALIKE, true), (0.1, EXACT, Accepted, NOTHING_ALIKE, true)],
        ),
        (
            "delayed: each new source is used until the first packet after three seconds confirms",
            latch(Learning::Delayed),
            vec![
                (0.0, EXACT, Learned, EXACT, false),
                (0.1, NOTHING_ALIKE, Learned, NOTHING_ALIKE, false),
                (0.2, NOTHING_ALIKE, Accepted, NOTHING_ALIKE, false),
                (2.9, OTHER_PORT, Learned, OTHER_PORT, false),
                (LATER, SAME_PORT, Learned, SAME_PORT, true),
                (LATER, OTHER_PORT, Accepted, SAME_PORT, true),
            ],
        ),
        (
            "off: the signalled endpoint counts as confirmed",
            latch(Learning::Off),
            vec![(0.0, NOTHING_ALIKE, Accepted, EXACT, true), (LATER, EXACT, Accepted, EXACT, true)],
        ),
        (
            "heuristic: the signalled endpoint confirms at once",
            latch(Learning::Heuristic),
            vec![(0.0, EXACT, Learned, EXACT, true), (0.1, NOTHING_ALIKE, Accepted, EXACT, true)],
        ),
        (
            "heuristic: better sources win, worse ones do not",
            latch(Learning::Heuristic),
            vec![
                (0.0, NOTHING_ALIKE, Learned, NOTHING_ALIKE, false),
                (0.1, SAME_PORT, Learned, SAME_PORT, false),
                (0.2, NOTHING_ALIKE, Accepted, SAME_PORT, false),
                (0.3, OTHER_PORT, Learned, OTHER_PORT, false),
                (0.4, SAME_PORT, Accepted, OTHER_PORT, false),
                (LATER, SAME_PORT, Learned, OTHER_PORT, true),
                (LATER, SAME_PORT, Accepted, OTHER_PORT, true),
            ],
        ),
        (
            "heuristic: the newest of equals is used, but only a better one is confirmed instead",
            latch(Learning::Heuristic),
            vec![
                (0.0, NOTHING_ALIKE, Learned, NOTHING_ALIKE, false),
                (0.1, REBOUND, Learned, REBOUND, false),
                (LATER, NOTHING_ALIKE, Learned, REBOUND, true),
            ],
        ),
        (
            "heuristic: a better source is confirmed after the window too",
            latch(Learning::Heuristic),
            vec![(0.0, NOTHING_ALIKE, Learned, NOTHING_ALIKE, false), (LATER, OTHER_PORT, Learned, OTHER_PORT, true)],
        ),
        (
            "heuristic: the first source of all may come after the window",
            latch(Learning::Heuristic),
            vec![(LATER + 60.0, NOTHING_ALIKE, Learned, NOTHING_ALIKE, true)],
        ),
    ]
}

fn strict_stories() -> Vec<(&'static str, Latch, Vec<Step>)> {
    vec![
        (
            "strict: others are refused after confirmation",
            strict(Learning::Immediate),
            vec![
                (0.0, NOTHING_ALIKE, Learned, NOTHING_ALIKE, true),
                (0.1, EXACT, Refused, NOTHING_ALIKE, true),
                (0.2, NOTHING_ALIKE, Accepted, NOTHING_ALIKE, true),
            ],
        ),
        (
            "strict, delayed: nothing is refused before confirmation",
            strict(Learning::Delayed),
            vec![
                (0.0, EXACT, Learned, EXACT, false),
                (0.1, NOTHING_ALIKE, Learned, NOTHING_ALIKE, false),
                (LATER, NOTHING_ALIKE, Learned, NOTHING_ALIKE, true),
                (LATER, EXACT, Refused, NOTHING_ALIKE, true),
            ],
        ),
        (
            "strict, heuristic: what fits less than the best is refused at once",
            strict(Learning::Heuristic),
            vec![
                (0.0, SAME_PORT, Learned, SAME_PORT, false),
                (0.1, NOTHING_ALIKE, Refused, SAME_PORT, false),
                (0.2, OTHER_PORT, Learned, OTHER_PORT, false),
            ],
        ),
        (
            "strict, off: only the signalled endpoint",
            strict(Learning::Off),
            vec![(0.0, OTHER_PORT, Refused, EXACT, true), (0.1, EXACT, Accepted, EXACT, true)],
        ),
    ]
}

fn handover_stories() -> Vec<(&'static str, Latch, Vec<Step>)> {
    vec![
        (
            "handover: another source takes over after confirmation",
            handover(Learning::Heuristic),
            vec![
                (0.0, EXACT, Learned, EXACT, true),
                (0.1, NOTHING_ALIKE, Learned, NOTHING_ALIKE, true),
                (0.2, NOTHING_ALIKE, Accepted, NOTHING_ALIKE, true),
                (0.3, EXACT, Learned, EXACT, true),
            ],
        ),
        (
            "handover wins over strict",
            Latch { strict: true, ..handover(Learning::Heuristic) },
            vec![(0.0, EXACT, Learned, EXACT, true), (0.1, NOTHING_ALIKE, Learned, NOTHING_ALIKE, true)],
        ),
        (
            "handover does nothing without learning",
            Latch { strict: true, ..handover(Learning::Off) },
            vec![(0.0, OTHER_PORT, Refused, EXACT, true)],
        ),
    ]
}

#[test]
fn a_story_packet_by_packet() {
    for (name, rule, steps) in stories() {
        let mut state = latching(rule);
        for (after, source, verdict, peer, confirmed) in steps {
            assert_eq!(state.judge(source, true, T0 + after), verdict, "{name} {after}");
            assert_eq!((state.destination(), state.confirmed), (Some(peer), confirmed), "{name} {after}");
        }
    }
}

#[test]
fn a_stranger_changes_no_story() {
    for (name, rule, steps) in stories() {
        let mut state = latching(rule);
        for (after, source, verdict, peer, confirmed) in steps {
            let before = (state.destination(), state.confirmed);
            assert_eq!(state.judge(STRANGER, true, T0 + after), Stranger, "{name} {after}");
            assert_eq!((state.destination(), state.confirmed), before, "{name} {after}");
            assert_eq!(state.judge(source, true, T0 + after), verdict, "{name} {after}");
            assert_eq!((state.destination(), state.confirmed), (Some(peer), confirmed), "{name} {after}");
        }
    }
}

#[test]
fn packets_of_the_other_kind_teach_nothing() {
    for learning in ALL {
        let mut state = latching(handover(learning));
        for after in [0.0, LATER] {
            assert_eq!(state.judge(NOTHING_ALIKE, false, T0 + after), Accepted);
            assert_eq!(state.destination(), Some(EXACT));
        }
        assert_eq!(state.confirmed, learning == Learning::Off);
    }
}

#[test]
fn nobody_is_accepted_before_anybody_was_signalled() {
    let mut state = Latching::new(None, Latch::default(), T0);
    for source in [EXACT, STRANGER] {
        assert_eq!(state.judge(source, true, T0), Stranger);
    }
    assert_eq!(state.destination(), None);
}

#[test]
fn a_plausible_source_teaches_nothing_before_its_sdp_is_known() {
    let mut state = Latching::new(None, latch(Learning::Immediate), T0);
    assert_eq!(state.judge(NOTHING_ALIKE, true, T0), Accepted);
    assert_eq!((state.destination(), state.confirmed), (None, false));
}

#[test]
fn an_operator_may_lift_the_rule() {
    let mut state = latching(Latch { plausible: None, ..latch(Learning::Immediate) });
    assert_eq!(state.judge(STRANGER, true, T0), Learned);
    assert_eq!(state.destination(), Some(STRANGER));
}

#[test]
fn the_signalled_address_is_plausible_without_being_listed() {
    let mut state = latching(Latch { plausible: Some(Arc::default()), ..latch(Learning::Immediate) });
    assert_eq!(state.judge(OTHER_PORT, true, T0), Learned);
}

#[test]
fn many_plausible_addresses_are_found_too() {
    let many = (0..=255).map(|last| endpoint([10, 0, 0, last], 1).ip()).collect();
    let state = latching(Latch { plausible: Some(Arc::new(many)), ..latch(Learning::Immediate) });
    assert!(state.is_plausible(endpoint([10, 0, 0, 200], 9)));
    assert!(!state.is_plausible(endpoint([10, 0, 1, 0], 9)));
}

#[test]
fn what_was_learned_is_not_sent_to_where_asymmetric_was_asked_for() {
    let mut state = latching(Latch { asymmetric: true, ..strict(Learning::Immediate) });
    assert_eq!(state.judge(NOTHING_ALIKE, true, T0), Learned);
    assert_eq!((state.learned, state.destination()), (Some(NOTHING_ALIKE), Some(SIGNALLED)));
    assert_eq!(state.judge(EXACT, true, T0), Refused);
}

#[test]
fn another_source_than_the_peer_is_settled_unless_it_may_take_over() {
    for (rule, settled) in [(latch(Learning::Immediate), true), (handover(Learning::Immediate), false)] {
        let mut state = latching(rule);
        assert!(!state.is_settled(EXACT));
        state.judge(EXACT, true, T0);
        assert!(state.is_settled(EXACT));
        assert_eq!(state.is_settled(NOTHING_ALIKE), settled);
    }
}

/// The first packet came from the NAT.
fn learned(learning: Learning, after: f64) -> Latching {
    let mut state = latching(latch(learning));
    state.judge(NOTHING_ALIKE, true, T0 + after);
    state
}

fn generation(learning: Learning, generation: u64) -> Latch {
    Latch { generation, ..latch(learning) }
}

#[test]
fn the_same_latch_changes_nothing() {
    let mut state = learned(Learning::Immediate, 0.0);
    state.restate(Some(SIGNALLED), latch(Learning::Immediate), T0 + 100.0);
    assert_eq!((state.destination(), state.confirmed), (Some(NOTHING_ALIKE), true));
}

#[test]
fn a_new_generation_learns_anew_and_keeps_sending_to_the_old_peer_meanwhile() {
    let mut state = learned(Learning::Delayed, LATER);
    let anew = T0 + 100.0;
    state.restate(Some(SIGNALLED), generation(Learning::Delayed, 2), anew);
    assert_eq!((state.destination(), state.confirmed), (Some(NOTHING_ALIKE), false));
    assert_eq!(state.judge(REBOUND, true, anew), Learned);
    assert_eq!((state.destination(), state.confirmed), (Some(REBOUND), false));
    assert_eq!(state.judge(REBOUND, true, anew + LATER - 0.1), Accepted);
    assert_eq!(state.judge(REBOUND, true, anew + LATER), Learned);
    assert!(state.confirmed);
}

#[test]
fn a_new_generation_forgets_how_well_the_old_peer_fitted() {
    let mut state = latching(latch(Learning::Heuristic));
    state.judge(EXACT, true, T0);
    state.restate(Some(SIGNALLED), generation(Learning::Heuristic, 2), T0 + 100.0);
    assert_eq!(state.judge(NOTHING_ALIKE, true, T0 + 100.0), Learned);
    assert_eq!(state.destination(), Some(NOTHING_ALIKE));
}

#[test]
fn another_endpoint_is_sent_to_at_once() {
    let mut state = learned(Learning::Immediate, 0.0);
    let moved = SocketAddr::new(SIGNALLED.ip(), 9000);
    state.restate(Some(moved), generation(Learning::Immediate, 2), T0 + 1.0);
    assert_eq!((state.destination(), state.confirmed), (Some(moved), false));
}

#[test]
fn a_peer_that_is_not_plausible_any_more_is_dropped() {
    let mut state = learned(Learning::Immediate, 0.0);
    let only_signalled = Some(Arc::new(HashSet::from([SIGNALLED.ip()])));
    state.restate(Some(SIGNALLED), Latch { plausible: only_signalled, ..latch(Learning::Immediate) }, T0 + 1.0);
    assert_eq!((state.destination(), state.confirmed), (Some(SIGNALLED), false));
    assert_eq!(state.judge(NOTHING_ALIKE, true, T0 + 1.0), Stranger);
}

#[test]
fn a_peer_on_hold_is_not_sent_to_and_is_learned_anew_afterwards() {
    let mut state = learned(Learning::Immediate, 0.0);
    state.restate(None, generation(Learning::Immediate, 2), T0 + 1.0);
    assert_eq!(state.destination(), None);
    assert_eq!(state.judge(NOTHING_ALIKE, true, T0 + 1.0), Accepted);
    state.restate(Some(SIGNALLED), generation(Learning::Immediate, 3), T0 + 2.0);
    assert_eq!((state.destination(), state.confirmed), (Some(SIGNALLED), false));
}

#[test]
fn learning_can_be_switched_off() {
    let mut state = learned(Learning::Immediate, 0.0);
    state.restate(Some(SIGNALLED), generation(Learning::Off, 2), T0 + 1.0);
    assert_eq!((state.destination(), state.confirmed), (Some(SIGNALLED), true));
}

/// `Latch::sources`: something better than an address vouches for the peer (S08).
fn vouched(sources: &[SocketAddr]) -> Latch {
    Latch { sources: Some(Arc::new(sources.iter().copied().collect())), ..handover(Learning::Immediate) }
}

#[test]
fn only_the_exact_endpoints_are_accepted_and_nothing_is_learned() {
    let mut state = latching(vouched(&[SIGNALLED]));
    assert_eq!((state.destination(), state.confirmed), (Some(SIGNALLED), true));
    for (source, verdict) in [(EXACT, Accepted), (OTHER_PORT, Stranger), (NOTHING_ALIKE, Stranger)] {
        assert_eq!(state.check(source), verdict);
        assert_eq!(state.judge(source, true, T0), verdict);
    }
    assert_eq!((state.learned, state.destination()), (None, Some(SIGNALLED)));
    assert!(state.is_settled(EXACT));
}

#[test]
fn no_vouched_sources_mean_nobody() {
    let mut state = latching(Latch { plausible: None, ..vouched(&[]) });
    assert_eq!(state.judge(EXACT, true, T0), Stranger);
}

#[test]
fn what_was_learned_before_is_forgotten_and_learning_begins_anew_after() {
    let mut state = learned(Learning::Immediate, 0.0);
    let sources = vouched(&[SIGNALLED]).sources;
    state.restate(Some(SIGNALLED), Latch { sources, ..latch(Learning::Immediate) }, T0);
    assert_eq!((state.destination(), state.confirmed), (Some(SIGNALLED), true));
    assert_eq!(state.judge(NOTHING_ALIKE, true, T0), Stranger);
    state.restate(Some(SIGNALLED), latch(Learning::Immediate), T0);
    assert_eq!(state.judge(REBOUND, true, T0), Learned);
}

#[test]
fn other_sources_take_effect_at_once() {
    let mut state = latching(vouched(&[SIGNALLED]));
    state.restate(Some(SIGNALLED), vouched(&[OTHER_PORT]), T0);
    assert_eq!((state.judge(EXACT, true, T0), state.judge(OTHER_PORT, true, T0)), (Stranger, Accepted));
}

const SOURCES: [SocketAddr; 6] = [EXACT, OTHER_PORT, SAME_PORT, NOTHING_ALIKE, REBOUND, STRANGER];

fn any_latch(rng: &mut Rng) -> Latch {
    Latch {
        strict: rng.one_in(2),
        handover: rng.one_in(2),
        asymmetric: rng.one_in(2),
        plausible: Some(Arc::new(HashSet::from([NOTHING_ALIKE.ip()]))),
        ..latch(rng.pick(&ALL))
    }
}

#[test]
fn whatever_comes_the_peer_is_plausible_and_confirmation_lasts() {
    for seed in 0..2000 {
        let mut rng = Rng::new(seed);
        let (rule, signalled) = (any_latch(&mut rng), rng.pick(&[Some(SIGNALLED), None]));
        let mut state = Latching::new(signalled, rule.clone(), T0);
        let mut now = T0;
        for _ in 0..30 {
            now += rng.below(20) as f64 / 10.0;
            let (source, teaches) = (rng.pick(&SOURCES), rng.one_in(2));
            let plausible = source.ip() == NOTHING_ALIKE.ip() || signalled.is_some_and(|it| it.ip() == source.ip());
            let before = (state.learned, state.confirmed);
            let settled = state.is_plausible(source) && state.is_settled(source);
            let verdict = state.judge(source, teaches, now);
            assert_eq!(verdict == Stranger, !plausible);
            assert_eq!((state.learned, state.confirmed) != before, verdict == Learned);
            assert!(state.learned.is_none_or(|peer| state.is_plausible(peer)));
            assert!(state.confirmed || !before.1);
            assert!(!settled || matches!(verdict, Accepted | Refused));
            if rule.asymmetric || rule.learning == Learning::Off || signalled.is_none() {
                assert_eq!(state.destination(), signalled);
            }
        }
    }
}

#[test]
fn a_check_says_what_judgement_would_and_changes_nothing_mbx_04() {
    for seed in 0..2000 {
        let mut rng = Rng::new(seed);
        let (mut state, mut now) = (latching(any_latch(&mut rng)), T0);
        for _ in 0..12 {
            now += rng.below(20) as f64 / 10.0;
            let source = rng.pick(&SOURCES);
            let checked = state.check(source);
            let judged = state.judge(source, rng.one_in(2), now);
            assert_eq!(checked, if judged == Learned { Accepted } else { judged });
        }
    }
}
