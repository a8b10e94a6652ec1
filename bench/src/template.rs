//! The bytes of a request, made once; only a number in them changes from one to the next.

/// How many digits a number has. `redis-benchmark` puts as many in place of its placeholder.
pub(crate) const DIGITS: usize = 12;

/// Stands for the number where a template is made.
pub(crate) const NUMBER: &str = "999999999999";

/// A number as names have it.
pub(crate) fn digits(number: u64) -> String {
    format!("{number:012}")
}

/// Bytes in which a number of fixed length can be replaced at no cost worth mentioning.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Template {
    /// Finds [`NUMBER`] wherever it stands.
    pub(crate) fn new(text: &str) -> Self {
        let places = text.match_indices(NUMBER).map(|(place, _)| place).collect();
        Self { bytes: text.as_bytes().to_vec(), places }
    }

    /// The bytes with a number, of which the last twelve digits count.
    pub(crate) fn with(&mut self, number: u64) -> &[u8] {
        for place in &self.places {
            if let Some(spot) = self.bytes.get_mut(*place..*place + DIGITS) {
                let mut rest = number;
                for digit in spot.iter_mut().rev() {
                    *digit = b'0' + (rest % 10) as u8;
                    rest /= 10;
                }
            }
        }
        &self.bytes
    }
}

/// A range of numbers to draw from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// The draws are in `0..below`.
    pub(crate) below: u64,
}

impl Numbers {
    /// Far more than are ever drawn, so that hardly any comes twice.
    pub(crate) const FRESH: Self = Self { below: 2_000_000_000 };
}

/// Draws numbers: SplitMix64, because it needs no dependency and two draws cost less than one
/// look at a clock.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The same seed gives the same draws.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number in a range.
    pub(crate) fn draw(&mut self, numbers: Numbers) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % numbers.below.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_gets_the_number() {
        let mut template = Template::new(&format!("GET /{NUMBER} x {NUMBER}."));
        assert_eq!(template.with(42), b"GET /000000000042 x 000000000042.");
        assert_eq!(template.with(7), format!("GET /{0} x {0}.", digits(7)).as_bytes());
    }

    #[test]
    fn draws_stay_in_range_and_differ() {
        let mut dice = Dice::new(1);
        let draws: Vec<u64> = (0..1000).map(|_| dice.draw(Numbers { below: 10 })).collect();
        assert!(draws.iter().all(|draw| *draw < 10));
        assert!((0..10).all(|number| draws.contains(&number)));
    }
}
