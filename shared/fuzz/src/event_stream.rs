//! The reader of AWS event streams: however a stream is cut, the same frames or the same refusal.

use crate::{chunks, take_byte};
use signalbox::eventstream::{Frame, FrameError, Reader};

fn read<'a>(chunks: impl Iterator<Item = &'a [u8]>, limit: usize) -> (Vec<String>, Option<FrameError>) {
    let mut reader = Reader::with_limit(limit);
    let (mut frames, mut refused) = (Vec::new(), None);
    for chunk in chunks {
        reader.push(chunk);
        while let Some(frame) = reader.next() {
            match frame {
                Ok(frame @ (Frame::Event { .. } | Frame::Exception { .. } | Frame::Error { .. })) => {
                    frames.push(format!("{frame:?}"));
                }
                Err(error) => assert_eq!(refused.replace(error), None, "refused twice"),
            }
        }
    }
    (frames, refused)
}

pub fn run(mut data: &[u8]) {
    let seed = take_byte(&mut data);
    let limit = match take_byte(&mut data) {
        small @ 0..64 => small,
        _ => 1 << 20,
    };
    let whole = read(std::iter::once(data), limit);
    assert_eq!(whole, read(chunks(data, seed), limit));
}
