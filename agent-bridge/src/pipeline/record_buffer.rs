//! Copies of ring records, one behind the other in memory that is used again: the ring is free for the kernel at once.

/// Memory beyond this, left from a burst, is given back.
const KEPT_BYTES: usize = 1 << 20;

#[derive(Default)]
pub struct RecordBuffer {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl RecordBuffer {
    pub fn push(&mut self, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        self.ends.push(self.bytes.len());
    }

    /// Calls `take` with each record in the order of arrival.
    pub fn each(&self, mut take: impl FnMut(&[u8])) {
        let mut start = 0;
        for end in &self.ends {
            take(self.bytes.get(start..*end).unwrap_or_default());
            start = *end;
        }
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.ends.shrink_to(KEPT_BYTES / 64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_records_back_as_they_came() {
        let mut buffer = RecordBuffer::default();
        for record in [b"abc".as_slice(), b"", b"d"] {
            buffer.push(record);
        }
        let mut seen = Vec::new();
        buffer.each(|bytes| seen.push(bytes.to_vec()));
        assert_eq!(seen, [b"abc".to_vec(), Vec::new(), b"d".to_vec()]);
        buffer.clear();
        buffer.each(|bytes| seen.push(bytes.to_vec()));
        assert_eq!(seen.len(), 3);
    }
}
