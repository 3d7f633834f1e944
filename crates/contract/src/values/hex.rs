//! Bytes as hexadecimal digits: credentials, digests, cursors.

use std::fmt::Write as _;

/// Bytes in hexadecimal: two lower-case digits each.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        text
    })
}
