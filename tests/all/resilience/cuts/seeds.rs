//! Which random cases are run.

/// Names the seed of a case that fails, so that it can be run again.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- failed with the seed {0}; REEF_SEED={0} runs it again", self.0);
        }
    }
}

/// Runs a case with each of some seeds: `REEF_SEED` names one, `REEF_SEEDS` says how many.
pub fn each(default: u64, mut case: impl FnMut(u64)) {
    let number = |name: &str| {
        std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a seed is a number"))
    };
    let seeds = match number("REEF_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("REEF_SEEDS").unwrap_or(default),
    };
    for seed in seeds {
        let told = Seed(seed);
        case(told.0);
    }
}
