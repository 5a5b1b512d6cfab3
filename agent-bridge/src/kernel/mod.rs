//! The kernel side: loading, records, walks and maps.
pub mod coupling;
pub mod lists;
pub mod load;
pub mod maps;
pub mod networks;
pub mod pruning;
pub mod records;
pub mod tables;
pub mod tunnels;
pub mod unfollowed;
pub mod walk;
