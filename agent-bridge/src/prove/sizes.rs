//! What a relay that proves something says: sizes of its turns, which follow from the analyzer's nonce. Contents are zero.

/// Turns each way.
pub const TURNS: usize = 4;
/// No turn is smaller: fewer bytes agree by chance (exactMinBytes of the coupling detector).
const MIN_BYTES: usize = 32;

pub type Nonce = [u8; 2 * TURNS];

/// One exchange: what the outside says, and what the inside answers. Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    pub forward: usize,
    pub backward: usize,
}

/// The turns in their order. The analyzer computes the same; proto/proof-sizes.json holds both to it.
pub fn turns(nonce: Nonce) -> impl Iterator<Item = Turn> {
    let size = |byte: u8| MIN_BYTES + usize::from(byte);
    let (forward, backward) = nonce.split_at(TURNS);
    let pairs: Vec<(u8, u8)> = forward.iter().copied().zip(backward.iter().copied()).collect();
    pairs.into_iter().map(move |(f, b)| Turn { forward: size(f), backward: size(b) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_golden_file() {
        let text = include_str!("../../../proto/proof-sizes.json");
        let numbers = |key: &str| -> Vec<usize> {
            let rest = text.split(&format!("\"{key}\": [")).nth(1).unwrap();
            rest.split(']').next().unwrap().split(',').map(|n| n.trim().parse().unwrap()).collect()
        };
        let hex = text.split("\"nonce\": \"").nth(1).unwrap().split('"').next().unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        let found: Vec<Turn> = turns(bytes.try_into().unwrap()).collect();
        assert_eq!(found.iter().map(|t| t.forward).collect::<Vec<_>>(), numbers("forward"));
        assert_eq!(found.iter().map(|t| t.backward).collect::<Vec<_>>(), numbers("backward"));
    }
}
