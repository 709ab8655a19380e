//! One million seeded orders: the flow that peers are measured with, made here bit by bit alike.
//!
//! It needs the Mersenne Twister and the ways in which `CPython`'s `random` draws from it, so that seed 11
//! gives the same orders as the generator of the comparison.

/// One operation of the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A limit order.
    Limit {
        /// Number of the order.
        id: u64,
        /// Whether it buys.
        is_buy: bool,
        /// Limit price.
        price_ticks: i64,
        /// Size.
        lots: i64,
    },
    /// A cancel of an order that may be gone already.
    Cancel {
        /// Number of the order.
        id: u64,
    },
}

/// The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998).
struct Twister {
    state: [u32; 624],
    next: usize,
}

impl Twister {
    /// Seeds as the reference does from an array of one word.
    fn new(seed: u32) -> Self {
        let mut state = [0u32; 624];
        state[0] = 19_650_218;
        for i in 1..624 {
            let before = state[i - 1] ^ (state[i - 1] >> 30);
            state[i] = before.wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        let mut i = 1;
        for _ in 0..624 {
            let before = (state[i - 1] ^ (state[i - 1] >> 30)).wrapping_mul(1_664_525);
            state[i] = (state[i] ^ before).wrapping_add(seed);
            i += 1;
            if i == 624 {
                state[0] = state[623];
                i = 1;
            }
        }
        for _ in 0..623 {
            let before = (state[i - 1] ^ (state[i - 1] >> 30)).wrapping_mul(1_566_083_941);
            state[i] = (state[i] ^ before).wrapping_sub(i as u32);
            i += 1;
            if i == 624 {
                state[0] = state[623];
                i = 1;
            }
        }
        state[0] = 0x8000_0000;
        Self { state, next: 624 }
    }

    fn word(&mut self) -> u32 {
        if self.next == 624 {
            for i in 0..624 {
                let mixed = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % 624] & 0x7fff_ffff);
                let odd = if mixed & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[i] = self.state[(i + 397) % 624] ^ (mixed >> 1) ^ odd;
            }
            self.next = 0;
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// A float in [0, 1) with 53 random bits.
    fn unit(&mut self) -> f64 {
        let (high, low) = (self.word() >> 5, self.word() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }

    /// A whole number below `bound`, by drawing its bits until they fit.
    fn below(&mut self, bound: u32) -> u32 {
        let bits = 32 - bound.leading_zeros();
        loop {
            let drawn = self.word() >> (32 - bits);
            if drawn < bound {
                return drawn;
            }
        }
    }
}

/// Makes the flow: about 60% passive limits, 30% cancels, 10% crossing limits around a wandering mid.
pub fn order_flow(operations: usize) -> Vec<Operation> {
    let mut random = Twister::new(11);
    let (mut mid, mut next_id) = (100_000i64, 0u64);
    let mut live: Vec<u64> = Vec::new();
    let mut flow = Vec::with_capacity(operations);
    for i in 0..operations {
        if i % 200 == 0 {
            mid += [-1, 1][random.below(2) as usize];
        }
        if random.unit() < 0.3 && !live.is_empty() {
            let id = live.swap_remove(random.below(live.len() as u32) as usize);
            flow.push(Operation::Cancel { id });
        } else {
            flow.push(limit(&mut random, mid, next_id, &mut live));
            next_id += 1;
        }
        if live.len() > 20_000 {
            live.drain(..10_000);
        }
    }
    flow
}

/// Draws one limit order, in the order in which the reference draws.
fn limit(random: &mut Twister, mid: i64, id: u64, live: &mut Vec<u64>) -> Operation {
    let is_buy = random.word() >> 31 == 0;
    let sign = if is_buy { 1 } else { -1 };
    let crosses = random.unit() < 1.0 / 7.0;
    let offset = 1 + ((-(1.0 - random.unit()).ln() / 0.125) as i64).min(400);
    if crosses {
        let price_ticks = mid + sign * i64::from(1 + random.below(3));
        return Operation::Limit { id, is_buy, price_ticks, lots: i64::from(1 + random.below(400)) };
    }
    let lots = i64::from(1 + random.below(100));
    live.push(id);
    Operation::Limit { id, is_buy, price_ticks: mid - sign * offset, lots }
}
