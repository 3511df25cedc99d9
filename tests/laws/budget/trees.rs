//! Many short lives of a family, drawn without the machinery that longer ones are cut down by: a hundred
//! thousand of them are tried in seconds.

use super::schedule::{Deed, Fate, Op};
use super::{FAMILY, run};
use stoa_actors::session::Budget;

/// Numbers of a seed: SplitMix64.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn byte(&mut self, n: u8) -> u8 {
        self.below(n.into()) as u8
    }

    fn some(&mut self, least: u64, most: u64) -> Option<u64> {
        (self.below(40) > 0).then(|| least + self.below(most))
    }

    fn budget(&mut self) -> Budget {
        Budget {
            thoughts: self.some(1, 9),
            tokens: self.some(1, 180),
            money: self.some(1, 110),
            ms: self.some(1, 400),
            turns: self.some(1, 9),
            spawns: self.some(0, 4),
            depth: (self.below(4) == 0).then(|| self.below(4)),
        }
    }

    fn op(&mut self) -> Op {
        let who = self.byte(FAMILY);
        match self.below(58) {
            0..6 => {
                let fate = match self.below(6) {
                    0..4 => Fate::Born,
                    4 => Fate::Refused,
                    _ => Fate::CutOff { durable: self.below(2) == 0 },
                };
                Op::Spawn { by: self.byte(4), budget: self.budget(), fate }
            }
            6 => Op::Fund { who, budget: self.budget() },
            7..10 => Op::LendMore { to: who, budget: self.budget() },
            10..34 => {
                let how = match self.below(18) {
                    0..6 => Deed::Acts { tokens: self.byte(20) },
                    6 => Deed::Acts { tokens: self.byte(250) },
                    7..9 => Deed::Unusable { tokens: self.byte(20) },
                    9 => Deed::Defer { failed: self.below(2) == 0 },
                    10 => Deed::Full,
                    11 => Deed::Fail,
                    12..14 => Deed::Lost,
                    14 => Deed::FailsBefore,
                    _ => Deed::Ends,
                };
                Op::Perform { which: self.byte(255), how }
            }
            34..36 => Op::Wake { who },
            36..38 => Op::Steer { who, interrupt: self.below(3) > 0 },
            38..40 => Op::Resume { who },
            40 => Op::Stop { who },
            41 => Op::Wipe { who },
            42..46 => Op::Again { which: self.byte(255) },
            46..55 => Op::Commit { count: 1 + self.byte(5) },
            _ => Op::Crash,
        }
    }
}

/// Runs `count` lives of up to `steps` steps from a seed; the first breach, cut down.
pub(crate) fn hold(seed: u64, count: u64, steps: u64) -> Result<(), String> {
    for tree in 0..count {
        let mut draw = Draw(seed << 32 | tree);
        let steps = steps / 2 + draw.below(steps / 2 + 1);
        let mut life: Vec<Op> = (0..steps).map(|_| draw.op()).collect();
        let Err(mut breach) = run(&life) else { continue };
        // Each step without which it breaks as well is left out.
        let mut at = 0;
        while at < life.len() {
            let mut shorter = life.clone();
            shorter.remove(at);
            match run(&shorter) {
                Err(again) => (life, breach) = (shorter, again),
                Ok(()) => at += 1,
            }
        }
        return Err(format!("{breach}\ntree {tree} of seed {seed}: {life:#?}"));
    }
    Ok(())
}
