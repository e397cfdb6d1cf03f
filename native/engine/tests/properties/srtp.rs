//! What is protected opens to what it was, once; what was changed on its way is refused and left as it is.
//!
//! An input is a suite and flags, where a bit is flipped, and a packet. Any packet is opened as it is, too.

use ngdaemon_engine::srtp::{Inbound, Keys, Outbound, Refused, SUITES};

/// Whatever the octets.
pub fn holds(data: &[u8]) {
    let Some((&[options, kdr, high, low], packet)) = data.split_first_chunk() else { return };
    let suite = &SUITES[usize::from(options & 0x0F) % SUITES.len()];
    let mut keys = Keys::new(suite, &vec![1; suite.key], &vec![2; suite.salt]).expect("they fit");
    keys.kdr = kdr % 25;
    keys.mki = vec![7; usize::from(options >> 6)];
    let rtcp = options & 0x20 != 0;
    let open = |inbound: &mut Inbound, packet: &mut Vec<u8>| match rtcp {
        true => inbound.rtcp(packet),
        false => inbound.rtp(packet),
    };

    let mut inbound = Inbound::new(keys.clone()).expect("they fit");
    let mut strange = packet.to_vec();
    if open(&mut inbound, &mut strange).is_err() {
        assert_eq!(strange, packet);
    }

    let (mut outbound, mut inbound) =
        (Outbound::new(keys.clone(), u64::MAX).expect("they fit"), Inbound::new(keys).expect("they fit"));
    let mut wire = packet.to_vec();
    if (if rtcp { outbound.rtcp(&mut wire) } else { outbound.rtp(&mut wire) }).is_err() {
        assert_eq!(wire, packet);
        return;
    }
    let mut changed = wire.clone();
    let place = usize::from(u16::from_be_bytes([high, low])) % (8 * wire.len());
    changed[place / 8] ^= 1 << (place % 8);
    let before = changed.clone();
    if options & 0x10 != 0 && open(&mut inbound, &mut changed).is_err() {
        assert_eq!(changed, before);
    }
    let mut opened = wire.clone();
    assert_eq!((open(&mut inbound, &mut opened), &opened[..]), (Ok(()), packet));
    assert_eq!(open(&mut inbound, &mut wire), Err(Refused::Replayed));
}
