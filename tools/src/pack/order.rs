//! Which function stands beside which, so that compression finds what it has seen.
//!
//! It looks back [`WINDOW`] bytes. Names tell a function's origin and put the copies of one generic function together; but much of what is alike
//! has other names: a reader of one shape and that of the next, a future and its neighbour. So after the names, the bytes decide: the next
//! function is always the one that shares most of its pieces with the window. On the Worker that is four percent.

// Every index is one that was given out here.
#![allow(clippy::indexing_slicing)]

use anyhow::Result;
use std::collections::{HashMap, HashSet, VecDeque};
use wasmparser::FunctionBody;

/// How far compression looks back, with room for what is not a function's.
const WINDOW: usize = 30_000;
/// Bytes of a piece, which begins where an instruction does. Shorter ones are found everywhere, longer ones nowhere.
const PIECE: usize = 8;
/// Pieces that more functions than this have are in every window.
const COMMON: usize = 500;
/// Bytes that count as foreign in every function, so that the smallest do not come first for one piece they share.
const OVERHEAD: u64 = 50;

/// The places of `bodies` in the order to write them, beginning with the first.
pub(super) fn by_likeness(bodies: &[FunctionBody<'_>]) -> Result<Vec<usize>> {
    let mut window = Window::new(pieces(bodies)?, bodies.iter().map(|body| body.as_bytes().len()).collect());
    let mut order = Vec::with_capacity(bodies.len());
    while let Some(next) = window.most_alike() {
        window.place(next);
        order.push(next);
    }
    Ok(order)
}

/// The pieces of every function, by a number each; of those that two have at least.
fn pieces(bodies: &[FunctionBody<'_>]) -> Result<Vec<Vec<usize>>> {
    let mut numbers: HashMap<&[u8], usize> = HashMap::new();
    let mut pieces = Vec::new();
    for body in bodies {
        let mut found = Vec::new();
        let mut instructions = body.get_operators_reader()?;
        while !instructions.eof() {
            let start = instructions.original_position() - body.range().start;
            if let Some(piece) = body.as_bytes().get(start..start + PIECE) {
                let number = numbers.len();
                found.push(*numbers.entry(piece).or_insert(number));
            }
            instructions.read()?;
        }
        let mut seen = HashSet::new();
        found.retain(|piece| seen.insert(*piece));
        pieces.push(found);
    }
    let mut holders = vec![0; numbers.len()];
    pieces.iter().flatten().for_each(|piece: &usize| holders[*piece] += 1);
    pieces.iter_mut().for_each(|pieces| pieces.retain(|piece| (2..COMMON).contains(&holders[*piece])));
    Ok(pieces)
}

/// What compression has in view after the functions that were placed, and how much of it each of the others has.
struct Window {
    pieces: Vec<Vec<usize>>,
    sizes: Vec<usize>,
    /// The functions that have a piece.
    holders: Vec<Vec<usize>>,
    placed: Vec<bool>,
    /// The functions in view, their size, and how many of them have a piece.
    view: VecDeque<usize>,
    size: usize,
    times: Vec<usize>,
    /// For every function what its pieces in view are worth.
    shared: Vec<u64>,
}

impl Window {
    fn new(pieces: Vec<Vec<usize>>, sizes: Vec<usize>) -> Window {
        let numbers = pieces.iter().flatten().max().map_or(0, |largest| largest + 1);
        let mut holders = vec![Vec::new(); numbers];
        for (function, pieces) in pieces.iter().enumerate() {
            pieces.iter().for_each(|piece| holders[*piece].push(function));
        }
        let functions = sizes.len();
        Window {
            pieces,
            sizes,
            holders,
            placed: vec![false; functions],
            view: VecDeque::new(),
            size: 0,
            times: vec![0; numbers],
            shared: vec![0; functions],
        }
    }

    /// The function to come next: the one with most in view for its size; the first of those that are left where none has any.
    fn most_alike(&self) -> Option<usize> {
        let left = (0..self.sizes.len()).filter(|function| !self.placed[*function]);
        let alike = |function: &usize| self.shared[*function] * 1_000_000 / (self.sizes[*function] as u64 + OVERHEAD);
        left.rev().max_by_key(alike)
    }

    fn place(&mut self, function: usize) {
        self.placed[function] = true;
        self.view.push_back(function);
        self.size += self.sizes[function];
        for piece in self.pieces[function].clone() {
            self.times[piece] += 1;
            if self.times[piece] == 1 {
                self.count(piece, |shared, worth| shared + worth);
            }
        }
        while self.size > WINDOW && self.view.len() > 1 {
            if let Some(passed) = self.view.pop_front() {
                self.pass(passed);
            }
        }
    }

    fn pass(&mut self, function: usize) {
        self.size -= self.sizes[function];
        for piece in self.pieces[function].clone() {
            self.times[piece] -= 1;
            if self.times[piece] == 0 {
                self.count(piece, |shared, worth| shared - worth);
            }
        }
    }

    /// A piece that few have is worth more: no other neighbour will do.
    fn count(&mut self, piece: usize, change: impl Fn(u64, u64) -> u64) {
        let worth = (100.0 / (self.holders[piece].len() as f64).sqrt()) as u64;
        for function in &self.holders[piece] {
            self.shared[*function] = change(self.shared[*function], worth);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use wasm_encoder::{Function, Instruction};
    use wasmparser::BinaryReader;

    fn constants(values: impl IntoIterator<Item = i32>) -> Vec<u8> {
        let mut body = Function::new([]);
        for value in values {
            body.instruction(&Instruction::I32Const(value)).instruction(&Instruction::Drop);
        }
        body.instruction(&Instruction::End);
        body.into_raw_body()
    }

    fn order(bodies: &[Vec<u8>]) -> Vec<usize> {
        let bodies: Vec<_> = bodies.iter().map(|body| FunctionBody::new(BinaryReader::new(body, 0))).collect();
        by_likeness(&bodies).unwrap()
    }

    #[test]
    fn those_that_share_pieces_stand_together_and_the_others_where_they_stood() {
        let bodies =
            [constants(0..50), constants(100..150), constants(10..60), constants(200..250), constants(110..160)];
        assert_eq!(order(&bodies), [0, 2, 1, 4, 3]);
        assert!(order(&[]).is_empty());
    }

    #[test]
    fn what_has_passed_from_view_is_not_counted() {
        // The second fills the window: nothing of the first is left when the third and the fourth are chosen between.
        let bodies = [constants(0..50), constants(100_000..110_000), constants(500..550), constants(0..50)];
        assert_eq!(order(&bodies), [0, 3, 1, 2]);
        let mut window = Window::new(vec![vec![0], vec![], vec![0]], vec![100, WINDOW, 100]);
        window.place(0);
        assert_eq!(window.most_alike(), Some(2));
        window.place(1);
        assert_eq!((window.most_alike(), window.shared[2]), (Some(2), 0));
    }
}
