//! What chance decides in the worlds of these tests, the same for the same seed, and what came of it.

pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    pub(super) fn one_in(&mut self, n: u64) -> bool {
        n > 0 && self.below(n) == 0
    }
}

/// How often something goes wrong. 0: never.
#[derive(Clone, Copy, Default)]
pub(super) struct Faults {
    /// One in so many messages is lost, is sent twice, one in so many calls meets the end of its process.
    pub(super) lost: u64,
    pub(super) twice: u64,
    pub(super) crash: u64,
    /// And one in so many turns the lender is built anew from its rows.
    pub(super) restart: u64,
}

#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) here: u64,
    pub(super) by_the_lender: u64,
    pub(super) denied: u64,
    pub(super) turns: u64,
    pub(super) crashes: u64,
    pub(super) extended: u64,
}
