//! Nanoseconds to protect and to open a packet of 172 octets: `cargo run --release --example srtp`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ngdaemon_engine::srtp::{Inbound, Keys, Outbound, suite_named};

/// So few that they stay in the cache, as those of a forwarder do.
const BATCH: u16 = 64;
const BATCHES: u16 = 900;
const ROUNDS: usize = 7;

fn main() {
    for name in ["AES_CM_128_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_80", "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"] {
        let suite = suite_named(name).expect("a suite of ours");
        let keys = Keys::new(suite, &vec![1; suite.key], &vec![2; suite.salt]).expect("they fit");
        let (mut protect, mut open): (Vec<f64>, Vec<f64>) = (0..ROUNDS).map(|_| round(&keys)).unzip();
        protect.sort_by(f64::total_cmp);
        open.sort_by(f64::total_cmp);
        println!("{name}: protect {:.0} ns, open {:.0} ns", protect[ROUNDS / 2], open[ROUNDS / 2]);
    }
}

fn round(keys: &Keys) -> (f64, f64) {
    let mut outbound = Outbound::new(keys.clone(), u64::MAX).expect("they fit");
    let mut inbound = Inbound::new(keys.clone()).expect("they fit");
    let (mut protecting, mut opening) = (Duration::ZERO, Duration::ZERO);
    for batch in 0..BATCHES {
        let mut packets: Vec<Vec<u8>> = (0..BATCH).map(|number| packet(batch * BATCH + number)).collect();
        let begun = Instant::now();
        for packet in &mut packets {
            outbound.rtp(black_box(packet)).expect("it is new");
        }
        let between = Instant::now();
        for packet in &mut packets {
            inbound.rtp(black_box(packet)).expect("it is authentic");
        }
        opening += between.elapsed();
        protecting += between - begun;
    }
    let each = 1e9 / (f64::from(BATCH) * f64::from(BATCHES));
    (protecting.as_secs_f64() * each, opening.as_secs_f64() * each)
}

fn packet(sequence: u16) -> Vec<u8> {
    let mut packet = Vec::with_capacity(200);
    packet.extend_from_slice(&[0x80, 8]);
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 0, 1, 2, 3, 4]);
    packet.resize(172, 0xAB);
    packet
}
