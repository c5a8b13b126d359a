//! The interpreter of scripts: a plain iterator, so that a socket and a virtual clock can both drive it.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::script::{Chunking, Script, Step};

/// What the player of a script does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send status and headers (once, before any byte).
    Head,
    /// Send these bytes as one chunk; never empty.
    Send(Bytes),
    /// Wait this many milliseconds.
    Delay(u64),
    /// The body ends properly. Last.
    End,
    /// Close without the body's proper end; before the head, without any answer. Last.
    Cut,
    /// Reset the connection. Last.
    Reset,
    /// Do nothing more until the caller leaves. Last.
    Stall,
}

/// A script being played: `Delay*`, `Head`, `Send | Delay …`, and exactly one of `End`, `Cut`, `Reset`, `Stall`; then `None`.
/// `Cut`, `Reset` and `Stall` may also come before `Head`.
#[derive(Debug)]
pub struct Playback {
    before_head: VecDeque<Step>,
    head_done: bool,
    body: VecDeque<Piece>,
    run: BytesMut,
    chunks: Chunks,
    over: bool,
}

#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    Act(Action),
}

impl Script {
    /// Starts playing.
    pub fn play(&self) -> Playback {
        let mut body = VecDeque::new();
        let whole = self.whole_body();
        if !whole.is_empty() {
            body.push_back(Piece::Bytes(whole));
        }
        body.extend(self.steps.iter().map(|step| match silent(step) {
            Some(action) => Piece::Act(action),
            None => Piece::Bytes(step.bytes()),
        }));
        Playback {
            before_head: self.before_head.iter().cloned().collect(),
            head_done: false,
            body,
            run: BytesMut::new(),
            chunks: Chunks::new(self.chunking),
            over: false,
        }
    }
}

/// The action of a step that sends no bytes.
fn silent(step: &Step) -> Option<Action> {
    match step {
        Step::DelayMs(ms) => Some(Action::Delay(*ms)),
        Step::Cut(_) => Some(Action::Cut),
        Step::Reset(_) => Some(Action::Reset),
        Step::Stall(_) => Some(Action::Stall),
        Step::Send(_)
        | Step::SendB64(_)
        | Step::Data(_)
        | Step::Event(_)
        | Step::Frame(..)
        | Step::Exception(..)
        | Step::Line(_) => None,
    }
}

impl Playback {
    /// True when every byte has been handed out and a proper end is all that is left.
    pub fn only_end_left(&self) -> bool {
        self.head_done && self.run.is_empty() && self.body.is_empty()
    }

    fn last(&mut self, action: Action) -> Action {
        match action {
            Action::End | Action::Cut | Action::Reset | Action::Stall => self.over = true,
            Action::Head | Action::Send(_) | Action::Delay(_) => {}
        }
        action
    }

    /// Joins the sends that follow each other into the run being cut; `AsGiven` takes one at a time.
    fn fill_run(&mut self) {
        while let Some(Piece::Bytes(bytes)) = self.body.front() {
            self.run.extend_from_slice(bytes);
            self.body.pop_front();
            if self.chunks.keeps_sends_apart() && !self.run.is_empty() {
                return;
            }
        }
    }
}

impl Iterator for Playback {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        if self.over {
            return None;
        }
        while let Some(step) = self.before_head.pop_front() {
            if let Some(action) = silent(&step) {
                return Some(self.last(action));
            }
        }
        if !self.head_done {
            self.head_done = true;
            return Some(Action::Head);
        }
        if self.run.is_empty() {
            self.fill_run();
        }
        if !self.run.is_empty() {
            let length = self.chunks.next_length().min(self.run.len());
            return Some(Action::Send(self.run.split_to(length).freeze()));
        }
        match self.body.pop_front() {
            Some(Piece::Act(action)) => Some(self.last(action)),
            Some(Piece::Bytes(_)) | None => Some(self.last(Action::End)),
        }
    }
}

#[derive(Debug)]
enum Chunks {
    Whole,
    Fixed(usize),
    Random(SplitMix),
}

impl Chunks {
    fn new(chunking: Chunking) -> Chunks {
        match chunking {
            Chunking::AsGiven => Chunks::Whole,
            Chunking::OneByte => Chunks::Fixed(1),
            Chunking::Fixed(length) => Chunks::Fixed(length.max(1)),
            Chunking::Random(seed) => Chunks::Random(SplitMix(seed)),
        }
    }

    fn keeps_sends_apart(&self) -> bool {
        matches!(self, Chunks::Whole)
    }

    fn next_length(&mut self) -> usize {
        match self {
            Chunks::Whole => usize::MAX,
            Chunks::Fixed(length) => *length,
            Chunks::Random(random) => {
                let value = random.next();
                // Three of four are 1 to 8 bytes: the boundaries that matter lie close together.
                let span = if value & 3 == 0 { 48 } else { 8 };
                1 + usize::try_from((value >> 8) % span).unwrap_or(0)
            }
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): enough randomness for chunk lengths, the same on every machine.
#[derive(Debug)]
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
