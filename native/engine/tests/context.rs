//! Contexts: what one protects the other one takes in, once; and what is written down and read back.

use ngdaemon_engine::srtp::{Cipher, Inbound, Keys, Outbound, Refused, SUITES, Suite, suite_named};

const SSRC: u32 = 0xCAFE_BABE;

fn keys(suite: &'static Suite) -> Keys {
    let key: Vec<u8> = (0..suite.key as u8).collect();
    let salt: Vec<u8> = (100..100 + suite.salt as u8).collect();
    Keys::new(suite, &key, &salt).unwrap()
}

fn usual() -> Keys {
    keys(suite_named("AES_CM_128_HMAC_SHA1_80").unwrap())
}

fn rtp(sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
    packet.extend_from_slice(&SSRC.to_be_bytes());
    packet.extend((0..160).map(|octet| octet as u8));
    packet
}

fn rtcp() -> Vec<u8> {
    let mut packet = vec![0x81, 200, 0, 6];
    packet.extend_from_slice(&SSRC.to_be_bytes());
    packet.extend_from_slice(&[7; 20]);
    packet
}

fn sealed(outbound: &mut Outbound, sequence: u16) -> Vec<u8> {
    let mut packet = rtp(sequence);
    outbound.rtp(&mut packet).unwrap();
    packet
}

fn pair(keys: Keys) -> (Outbound, Inbound) {
    (Outbound::new(keys.clone(), u64::MAX).unwrap(), Inbound::new(keys).unwrap())
}

/// Every suite, with and without an MKI, a key derivation rate, and encryption.
fn all_keys() -> Vec<Keys> {
    let mut all = Vec::new();
    for suite in &SUITES {
        for (mki, kdr, encrypted) in
            [(vec![], 0, true), (vec![1, 2, 3, 4], 0, true), (vec![], 4, true), (vec![9], 0, false)]
        {
            let mut keys = keys(suite);
            (keys.mki, keys.kdr, keys.encrypted, keys.rtcp_encrypted) = (mki, kdr, encrypted, encrypted);
            all.push(keys);
        }
    }
    all
}

#[test]
fn what_is_protected_can_be_opened() {
    for keys in all_keys() {
        let hidden = keys.encrypted && keys.suite.cipher != Cipher::Null;
        let (mut outbound, mut inbound) = pair(keys.clone());
        for sequence in 65_500..65_600_u32 {
            let clear = rtp(sequence as u16);
            let mut packet = clear.clone();
            outbound.rtp(&mut packet).unwrap();
            assert_eq!(packet[12..100] != clear[12..100], hidden, "{keys:?}");
            inbound.rtp(&mut packet).unwrap();
            assert_eq!(packet, clear);
        }
        for _ in 0..20 {
            let mut packet = rtcp();
            outbound.rtcp(&mut packet).unwrap();
            inbound.rtcp(&mut packet).unwrap();
            assert_eq!(packet, rtcp());
        }
    }
}

/// SRTP-10: a packet that fails is as it was, and changes nothing.
#[test]
fn any_changed_octet_is_refused_and_left_alone() {
    for keys in all_keys() {
        let (mut outbound, mut inbound) = pair(keys);
        let packet = sealed(&mut outbound, 7);
        let mut report = rtcp();
        outbound.rtcp(&mut report).unwrap();
        for at in 0..packet.len() {
            let mut forged = packet.clone();
            forged[at] ^= 1;
            let before = forged.clone();
            assert_eq!(inbound.rtp(&mut forged), Err(Refused::Forged));
            assert_eq!(forged, before);
        }
        for at in 0..report.len() {
            let mut forged = report.clone();
            forged[at] ^= 1;
            let before = forged.clone();
            assert_eq!(inbound.rtcp(&mut forged), Err(Refused::Forged));
            assert_eq!(forged, before);
        }
        assert!(!inbound.knows(SSRC));
        inbound.rtp(&mut packet.clone()).unwrap();
    }
}

#[test]
fn no_prefix_of_a_packet_is_taken_in_or_panics() {
    for keys in all_keys() {
        let (mut outbound, mut inbound) = pair(keys);
        let packet = sealed(&mut outbound, 7);
        let mut report = rtcp();
        outbound.rtcp(&mut report).unwrap();
        for length in 0..packet.len() {
            assert!(inbound.rtp(&mut packet[..length].to_vec()).is_err());
        }
        for length in 0..report.len() {
            assert!(inbound.rtcp(&mut report[..length].to_vec()).is_err());
        }
    }
}

/// SRTP-03.
#[test]
fn a_packet_is_taken_in_once() {
    let (mut outbound, mut inbound) = pair(usual());
    let packets: Vec<_> = (0..5).map(|sequence| sealed(&mut outbound, sequence)).collect();
    for at in [0, 2, 1, 4] {
        inbound.rtp(&mut packets[at].clone()).unwrap();
        assert_eq!(inbound.rtp(&mut packets[at].clone()), Err(Refused::Replayed));
    }
    inbound.rtp(&mut packets[3].clone()).unwrap();
    let mut report = rtcp();
    outbound.rtcp(&mut report).unwrap();
    inbound.rtcp(&mut report.clone()).unwrap();
    assert_eq!(inbound.rtcp(&mut report), Err(Refused::Replayed));
}

/// SRTP-05: no index is used twice.
#[test]
fn a_number_is_sent_once() {
    let mut outbound = Outbound::new(usual(), u64::MAX).unwrap();
    sealed(&mut outbound, 7);
    let mut packet = rtp(7);
    assert_eq!(outbound.rtp(&mut packet), Err(Refused::Replayed));
    assert_eq!(packet, rtp(7));
}

/// KEY-06.
#[test]
fn an_exhausted_key_protects_nothing_more() {
    let mut outbound = Outbound::new(usual(), 3).unwrap();
    for sequence in 0..3 {
        assert_eq!(outbound.left(), 3 - u64::from(sequence));
        sealed(&mut outbound, sequence);
    }
    assert_eq!(outbound.rtp(&mut rtp(3)), Err(Refused::Exhausted));
}

/// SRTP-07: a sender that keeps its rollover counter under a new key is found; one that begins at 0 is too.
#[test]
fn the_rollover_counter_of_an_old_key_is_tried() {
    let (mut old, mut before) = pair(usual());
    for sequence in [65_530, 65_535, 0, 5] {
        before.rtp(&mut sealed(&mut old, sequence)).unwrap();
    }
    let new = keys(suite_named("AEAD_AES_128_GCM").unwrap());
    for keeps in [true, false] {
        let (mut outbound, mut inbound) = pair(new.clone());
        if keeps {
            outbound.follow(&old.state());
        }
        inbound.expect(&before.state());
        inbound.rtp(&mut sealed(&mut outbound, 6)).unwrap();
        inbound.rtp(&mut sealed(&mut outbound, 7)).unwrap();
    }
}

#[test]
fn a_context_goes_on_where_it_was_written_down() {
    let (mut outbound, mut inbound) = pair(usual());
    let seen = sealed(&mut outbound, 65_535);
    inbound.rtp(&mut seen.clone()).unwrap();
    inbound.rtp(&mut sealed(&mut outbound, 1)).unwrap();
    let (mut sender, mut receiver) = pair(usual());
    sender.restore(&outbound.state());
    receiver.restore(&inbound.state());
    assert_eq!(receiver.rtp(&mut seen.clone()), Err(Refused::Replayed));
    assert_eq!(sender.rtp(&mut rtp(0)), Err(Refused::Replayed), "it may have been sent after that");
    receiver.rtp(&mut sealed(&mut sender, 2)).unwrap();
    let mut report = rtcp();
    sender.rtcp(&mut report).unwrap();
    receiver.rtcp(&mut report).unwrap();
}

/// S17.
#[test]
fn keys_are_not_shown() {
    assert_eq!(format!("{:?}", usual()), "Keys(AES_CM_128_HMAC_SHA1_80)");
}

#[test]
fn keys_of_another_length_are_refused() {
    assert!(Keys::new(&SUITES[0], &[0; 16], &[0; 12]).is_err());
    assert!(Keys::new(&SUITES[0], &[0; 32], &[0; 14]).is_err());
}
