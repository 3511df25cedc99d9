//! What a seed decides.

/// How often what goes wrong, and how long things take.
#[derive(Clone, Copy, Debug)]
pub struct Chances {
    /// The longest that a message, an answer or a commit takes, in ms.
    pub latency_ms_max: u64,
    /// Of 1,000 messages so many arrive twice.
    pub duplicated: u64,
    /// Of 1,000 answers so many are lost on the way.
    pub lost: u64,
    /// Of 1,000 messages so many find no room.
    pub no_room: u64,
    /// Deaths of everything at once, at moments that are drawn.
    pub crashes: u32,
    /// Deaths of one actor.
    pub deaths: u32,
    /// Times that an actor that nobody uses is put away; it comes back with the next message.
    pub rests: u32,
    /// Times that an actor has died too often: it is out of service for a while. The rights are not.
    pub quarantines: u32,
    /// Appends that fail, some of them with the entry kept. Everything dies of each.
    pub failures: u32,
    /// When the last of these has happened at the latest, in ms.
    pub within_ms: u64,
}

impl Default for Chances {
    fn default() -> Chances {
        Chances {
            latency_ms_max: 20,
            duplicated: 50,
            lost: 50,
            no_room: 50,
            crashes: 2,
            deaths: 4,
            rests: 8,
            quarantines: 2,
            failures: 1,
            within_ms: 2_000,
        }
    }
}

/// Numbers from a seed, the same in every run: SplitMix64.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    /// A number below `below`.
    pub(super) fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below.max(1)
    }

    /// So often of 1,000 times.
    pub(super) fn of_1000(&mut self, often: u64) -> bool {
        self.below(1_000) < often
    }
}
