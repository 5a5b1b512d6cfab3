pub mod channel;
pub mod namespace;
pub mod prover;
pub mod relay;
pub mod sizes;
