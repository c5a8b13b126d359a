//! Gemini generateContent, read and written.

use signalbox::dialect::Dialect;

pub fn run(data: &[u8]) {
    crate::dialect::run(Dialect::Gemini, data);
}
