//! Valid RTP and RTCP packets for tests, so that a test has to break exactly one thing, and random numbers.

/// What an RTP packet is made of. The extension is a multiple of 4 octets long; padding counts its own length octet.
#[derive(Clone, Copy)]
pub struct Rtp<'a> {
    pub sequence: u16,
    pub ssrc: u32,
    pub payload_type: u8,
    pub payload: &'a [u8],
    pub marker: bool,
    pub csrcs: u8,
    pub profile: u16,
    pub extension: Option<&'a [u8]>,
    pub padding: u8,
}

impl Rtp<'static> {
    pub fn of(sequence: u16) -> Self {
        Self {
            sequence,
            ssrc: 0x1234,
            payload_type: 0,
            payload: &[0x55; 160],
            marker: false,
            csrcs: 0,
            profile: 0xBEDE,
            extension: None,
            padding: 0,
        }
    }
}

impl Rtp<'_> {
    pub fn packet(&self) -> Vec<u8> {
        let extended = if self.extension.is_some() { 0x10 } else { 0 };
        let padded = if self.padding > 0 { 0x20 } else { 0 };
        let kind = self.payload_type | if self.marker { 0x80 } else { 0 };
        let mut packet = vec![0x80 | self.csrcs | extended | padded, kind];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend((160 * u32::from(self.sequence)).to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        (1..=u32::from(self.csrcs)).for_each(|source| packet.extend(source.to_be_bytes()));
        if let Some(extension) = self.extension {
            packet.extend(self.profile.to_be_bytes());
            packet.extend(((extension.len() / 4) as u16).to_be_bytes());
            packet.extend(extension);
        }
        packet.extend(self.payload);
        packet.extend((1..self.padding).map(|_| 0).chain((self.padding > 0).then_some(self.padding)));
        packet
    }
}

/// An RTCP packet; the body is filled up to whole words.
pub fn rtcp(count: u8, kind: u8, body: &[&[u8]]) -> Vec<u8> {
    let mut body = body.concat();
    body.resize(body.len().next_multiple_of(4), 0);
    let mut packet = vec![0x80 | count, kind];
    packet.extend(((body.len() / 4) as u16).to_be_bytes());
    packet.extend(body);
    packet
}

/// A report block (RFC 3550 §6.4.1) about a source, with its extended highest sequence number.
pub fn block(ssrc: u32, highest: u32) -> Vec<u8> {
    let rest = [3, 0xFF, 0xFF, 0xFD];
    [&ssrc.to_be_bytes(), &rest, &highest.to_be_bytes(), &[0; 12][..]].concat()
}

/// SR.
pub fn sender_report(ssrc: u32, blocks: &[Vec<u8>]) -> Vec<u8> {
    rtcp(blocks.len() as u8, 200, &[&ssrc.to_be_bytes(), &[7; 20], &blocks.concat()])
}

/// RR.
pub fn receiver_report(ssrc: u32, blocks: &[Vec<u8>]) -> Vec<u8> {
    rtcp(blocks.len() as u8, 201, &[&ssrc.to_be_bytes(), &blocks.concat()])
}

/// SDES.
pub fn description(ssrc: u32) -> Vec<u8> {
    rtcp(1, 202, &[&ssrc.to_be_bytes(), b"\x01\x07someone\x00"])
}

/// BYE.
pub fn goodbye(ssrc: u32) -> Vec<u8> {
    rtcp(1, 203, &[&ssrc.to_be_bytes()])
}

/// RTPFB with a generic NACK.
pub fn transport_feedback(ssrc: u32, media: u32, information: &[u8]) -> Vec<u8> {
    rtcp(1, 205, &[&ssrc.to_be_bytes(), &media.to_be_bytes(), information])
}

/// PSFB.
pub fn payload_feedback(ssrc: u32, media: u32) -> Vec<u8> {
    rtcp(1, 206, &[&ssrc.to_be_bytes(), &media.to_be_bytes()])
}

/// Numbers that are the same in each run (xorshift64*).
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    /// Less than the limit.
    pub fn below(&mut self, limit: usize) -> usize {
        self.draw() as usize % limit
    }

    pub fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Up to so many octets, half of which are of the kind that lengths and types are made of.
    pub fn octets(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most + 1);
        (0..length).map(|_| if self.one_in(2) { self.draw() as u8 } else { self.below(5) as u8 }).collect()
    }
}
