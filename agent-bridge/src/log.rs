//! The log, on standard error: one line an event, as text or as JSON.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::host::clock::Clock;

static AS_JSON: AtomicBool = AtomicBool::new(false);

pub fn use_json(json: bool) {
    AS_JSON.store(json, Ordering::Relaxed);
}

/// One line on standard output, for the program that started the collector.
pub fn print(line: impl fmt::Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

pub fn info(message: impl fmt::Display) {
    write("info", &message.to_string());
}

/// A failure that the collector goes on after.
pub fn warn(message: impl fmt::Display) {
    write("warn", &message.to_string());
}

/// A failure that ends the collector.
pub fn error(message: impl fmt::Display) {
    write("error", &message.to_string());
}

fn write(level: &str, message: &str) {
    // Nobody may be reading any more: that is no reason to stop.
    let _ = if AS_JSON.load(Ordering::Relaxed) {
        let now_us = Clock::measure().now_us();
        writeln!(io::stderr(), "{{\"time_us\":{now_us},\"level\":\"{level}\",\"message\":{}}}", Json(message))
    } else {
        writeln!(io::stderr(), "backflow-collector: {message}")
    };
}

/// An error and its causes in one sentence. Libraries repeat the text of a cause in their own.
pub fn sentence(error: &anyhow::Error) -> String {
    let mut out = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !out.ends_with(&cause) {
            let separator = if out.is_empty() { "" } else { ": " };
            out = format!("{out}{separator}{cause}");
        }
    }
    out
}

/// A string as JSON writes it (RFC 8259, 7).
pub struct Json<'a>(pub &'a str);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_each_cause_once() {
        let cause = anyhow::anyhow!("no such file");
        let error = cause.context("transport error: no such file").context("cannot connect");
        assert_eq!(sentence(&error), "cannot connect: transport error: no such file");
    }

    #[test]
    fn escapes_what_json_does_not_take_in_a_string() {
        assert_eq!(Json("a\"b\\c\n\u{7f}ü").to_string(), "\"a\\\"b\\\\c\\u000a\u{7f}ü\"");
    }
}
