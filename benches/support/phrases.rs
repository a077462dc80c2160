//! Texts that pack as those of people and models do: made of repeating phrases.

use rand::{Rng, SeedableRng, rngs::StdRng};

/// Phrases that texts are made of, always the same ones.
pub struct Phrases(Vec<String>);

const SYLLABLES: &[&str] = &[
    "ra", "ten", "mo", "li", "ver", "sa", "con", "ti", "al", "be", "dor", "ing", "un", "ker", "pra", "est",
    "gil", "no", "ta", "re", "sol", "vin", "ac", "de",
];

impl Phrases {
    /// So many phrases, of so many different words.
    pub fn new(words: usize, phrases: usize) -> Self {
        let mut rng = StdRng::seed_from_u64(7);
        let vocabulary: Vec<String> = (0..words)
            .map(|_| {
                (0..rng.random_range(1..=4))
                    .map(|_| SYLLABLES[rng.random_range(0..SYLLABLES.len())])
                    .collect()
            })
            .collect();
        let phrase = |rng: &mut StdRng| {
            let words = rng.random_range(4..=12);
            let words: Vec<_> =
                (0..words).map(|_| vocabulary[rng.random_range(0..vocabulary.len())].clone()).collect();
            words.join(" ")
        };
        Self((0..phrases).map(|_| phrase(&mut rng)).collect())
    }

    /// A text of so many bytes, or a phrase more.
    pub fn text(&self, rng: &mut StdRng, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 60);
        while text.len() < bytes {
            text.push_str(&self.0[rng.random_range(0..self.0.len())]);
            text.push_str(". ");
        }
        text
    }
}
