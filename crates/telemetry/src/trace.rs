//! What became of each of the newest requests of a worker: the answer to "why was this let through, or stopped?".
//!
//! One worker writes, anybody reads, and neither waits: each slot is a seqlock whose sequence word is the request's id
//! (H.-J. Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012). A slot that is being
//! written reads as empty.

use secbeat_types::Timestamp;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// Requests that are remembered: 1 MiB a worker.
pub const SLOTS: usize = 16_384;
const WORDS: usize = 8;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// The request's id as a number, not 0.
    pub id: u64,
    /// The client, behind trusted proxies. IPv4-mapped addresses come back as IPv4.
    pub client: IpAddr,
    /// When its first byte was in hand.
    pub at: Timestamp,
    /// Generation of the policy that it met.
    pub generation: u32,
    /// The status that the client was sent; 0: none.
    pub status: u16,
    /// The stage that settled it. The data plane numbers its stages.
    pub stage: u8,
    /// What else there is to tell of it. The data plane names the bits.
    pub flags: u8,
    /// From its first byte to the answer's last, in microseconds.
    pub duration_us: u32,
    /// The site's place in the policy; the data plane says what stands for none.
    pub site: u16,
    /// The number in `dec_N` of the decision that settled it, or 0.
    pub decision: u64,
    /// The number in `conn_N` of its connection.
    pub connection: u64,
}

/// The newest requests of one worker.
pub struct TraceRing {
    slots: Box<[[AtomicU64; WORDS]]>,
    /// Traces written so far.
    written: AtomicU64,
}

impl Default for TraceRing {
    /// An empty ring. Its memory is taken as it fills.
    fn default() -> Self {
        TraceRing { slots: bytemuck::zeroed_slice_box(SLOTS), written: AtomicU64::new(0) }
    }
}

impl TraceRing {
    /// Remembers a request in place of the oldest. For one thread alone: traces that two write at once may be lost or
    /// mixed up.
    pub fn write(&self, trace: &Trace) {
        let number = self.written.load(Relaxed);
        let Some([id, fields @ ..]) = self.slots.get(number as usize % SLOTS) else { return };
        id.store(0, Relaxed);
        // Whoever sees one of the fields below sees the 0 above, too.
        fence(Release);
        for (field, word) in fields.iter().zip(pack(trace)) {
            field.store(word, Relaxed);
        }
        id.store(trace.id, Release);
        self.written.store(number.wrapping_add(1), Release);
    }

    /// The request of this id, where it is remembered. Looks at every slot: for the control side.
    pub fn find(&self, id: u64) -> Option<Trace> {
        let slot = self.slots.iter().find(|slot| id != 0 && slot[0].load(Relaxed) == id)?;
        read(slot).filter(|trace| trace.id == id)
    }

    /// The newest `n` requests of this client, the newest first. Looks at every slot: for the control side.
    pub fn recent(&self, client: IpAddr, n: usize) -> Vec<Trace> {
        let client = client.to_canonical();
        let newest = self.written.load(Acquire);
        (1..=newest.min(SLOTS as u64))
            .filter_map(|back| read(self.slots.get((newest - back) as usize % SLOTS)?))
            .filter(|trace| trace.client == client)
            .take(n)
            .collect()
    }
}

impl fmt::Debug for TraceRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceRing").field("written", &self.written).finish()
    }
}

/// The slot's trace, or `None` where there is none or it is being written.
fn read(slot: &[AtomicU64; WORDS]) -> Option<Trace> {
    let [sequence, fields @ ..] = slot;
    let id = sequence.load(Acquire);
    let words = fields.each_ref().map(|field| field.load(Relaxed));
    fence(Acquire);
    (id != 0 && sequence.load(Relaxed) == id).then(|| unpack(id, words))
}

/// The words after the id: address (2), time and site, generation, status, stage and flags, duration, decision,
/// connection.
fn pack(trace: &Trace) -> [u64; WORDS - 1] {
    let client = match trace.client {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    };
    // 48 bits hold every instant up to the year 9999.
    let at = trace.at.unix_ms() as u64;
    let outcome = u64::from(trace.generation) << 32
        | u64::from(trace.status) << 16
        | u64::from(trace.stage) << 8
        | u64::from(trace.flags);
    [
        (client >> 64) as u64,
        client as u64,
        at << 16 | u64::from(trace.site),
        outcome,
        u64::from(trace.duration_us),
        trace.decision,
        trace.connection,
    ]
}

fn unpack(
    id: u64,
    [client_high, client_low, at, outcome, duration_us, decision, connection]: [u64; WORDS - 1],
) -> Trace {
    let client = Ipv6Addr::from_bits(u128::from(client_high) << 64 | u128::from(client_low));
    Trace {
        id,
        client: IpAddr::V6(client).to_canonical(),
        at: Timestamp::from_unix_ms((at >> 16) as i64),
        generation: (outcome >> 32) as u32,
        status: (outcome >> 16) as u16,
        stage: (outcome >> 8) as u8,
        flags: outcome as u8,
        duration_us: duration_us as u32,
        site: at as u16,
        decision,
        connection,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::AtomicBool;

    /// A trace whose every field follows from its id.
    fn of(id: u64) -> Trace {
        let mixed = id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let client = match id % 2 {
            0 => IpAddr::from((mixed as u32).to_be_bytes()),
            _ => IpAddr::V6(Ipv6Addr::from_bits(0x2001 << 112 | u128::from(mixed))),
        };
        Trace {
            id,
            client,
            at: Timestamp::from_unix_ms((mixed % 253_402_300_800_000) as i64),
            generation: mixed as u32,
            status: (mixed >> 8) as u16,
            stage: (mixed >> 16) as u8,
            flags: (mixed >> 24) as u8,
            duration_us: (mixed >> 32) as u32,
            site: (mixed >> 40) as u16,
            decision: mixed.rotate_left(7),
            connection: mixed.rotate_left(13),
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(id in 1..u64::MAX) {
            let ring = TraceRing::default();
            ring.write(&of(id));
            prop_assert_eq!(ring.find(id), Some(of(id)));
            prop_assert_eq!(ring.recent(of(id).client, 5), [of(id)]);
        }
    }

    #[test]
    fn the_oldest_make_room() {
        let ring = TraceRing::default();
        (1..=SLOTS as u64 + 10).for_each(|id| ring.write(&of(id)));
        assert_eq!(ring.find(10), None);
        assert_eq!(ring.find(11), Some(of(11)));
        assert_eq!(ring.find(SLOTS as u64 + 10), Some(of(SLOTS as u64 + 10)));
        assert_eq!(ring.find(0), None);
    }

    #[test]
    fn a_clients_requests_come_the_newest_first() {
        let ring = TraceRing::default();
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        for id in 1..100 {
            ring.write(&if id % 10 == 0 { Trace { client, ..of(id) } } else { of(id) });
        }
        let ids: Vec<u64> =
            ring.recent("::ffff:192.0.2.1".parse().unwrap(), 3).iter().map(|trace| trace.id).collect();
        assert_eq!(ids, [90, 80, 70]);
    }

    #[test]
    fn a_reader_never_sees_half_a_trace() {
        const WRITTEN: u64 = 40 * SLOTS as u64;
        let ring = TraceRing::default();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let readers: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        let mut seen = 0;
                        loop {
                            let last_round = done.load(Acquire);
                            for trace in ring.slots.iter().filter_map(read) {
                                assert_eq!(trace, of(trace.id));
                                seen += 1;
                            }
                            if last_round {
                                return seen;
                            }
                        }
                    })
                })
                .collect();
            (1..=WRITTEN).for_each(|id| ring.write(&of(id)));
            done.store(true, Release);
            for reader in readers {
                assert!(reader.join().unwrap() >= SLOTS as u64);
            }
        });
    }
}
