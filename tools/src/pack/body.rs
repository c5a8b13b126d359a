//! Writes a function's body with other numbers, and so that functions that do alike read alike.
//!
//! What the format leaves open is decided the same way everywhere: the locals that are used most have the smallest numbers, and no access to memory says
//! how it is aligned, which is a hint that engines do not read.

// Every index is one the module itself has; were it wrong, stopping the build is right.
#![allow(clippy::indexing_slicing)]

use anyhow::{Result, anyhow};
use std::{cmp::Reverse, convert::Infallible};
use wasm_encoder::{
    Function, Instruction, MemArg, ValType,
    reencode::{Error, Reencode},
};
use wasmparser::FunctionBody;

/// Writes bodies with other numbers for the functions they call.
pub(super) struct Bodies<'n> {
    /// By the number of a function, its new one.
    pub(super) numbers: &'n [u32],
}

impl Bodies<'_> {
    /// The body of a function that takes `parameters`.
    pub(super) fn write(&mut self, body: &FunctionBody<'_>, parameters: u32) -> Result<Function> {
        self.rewrite(body, parameters).map_err(|error| anyhow!("{error}"))
    }

    fn rewrite(&mut self, body: &FunctionBody<'_>, parameters: u32) -> Result<Function, Error<Infallible>> {
        let mut instructions = Vec::new();
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            instructions.push(self.parse_instruction(&mut reader)?);
        }
        let mut types = Vec::new();
        for group in body.get_locals_reader()? {
            let (count, ty) = group?;
            types.extend(vec![self.val_type(ty)?; count as usize]);
        }
        let kept = by_use(&mut instructions, &types, parameters);
        let mut written = Function::new_with_locals_types(kept);
        for instruction in &instructions {
            written.instruction(instruction);
        }
        Ok(written)
    }
}

/// Numbers the locals anew and returns their types: those of one type together, the most used first, the unused left out.
fn by_use(instructions: &mut [Instruction<'_>], types: &[ValType], parameters: u32) -> Vec<ValType> {
    let mut uses = vec![0_usize; types.len()];
    for number in instructions.iter_mut().filter_map(local) {
        if let Some(local) = number.checked_sub(parameters) {
            uses[local as usize] += 1;
        }
    }
    let group = |local: &usize| types.iter().position(|ty| *ty == types[*local]);
    let mut order: Vec<usize> = (0..types.len()).filter(|local| uses[*local] > 0).collect();
    order.sort_by_key(|local| (group(local), Reverse(uses[*local])));
    let mut numbers = vec![0; types.len()];
    for (number, local) in (parameters..).zip(&order) {
        numbers[*local] = number;
    }
    for number in instructions.iter_mut().filter_map(local) {
        if let Some(local) = number.checked_sub(parameters) {
            *number = numbers[local as usize];
        }
    }
    order.into_iter().map(|local| types[local]).collect()
}

/// The local an instruction names.
fn local<'i>(instruction: &'i mut Instruction<'_>) -> Option<&'i mut u32> {
    match instruction {
        Instruction::LocalGet(number) | Instruction::LocalSet(number) | Instruction::LocalTee(number) => Some(number),
        _ => None,
    }
}

impl Reencode for Bodies<'_> {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.numbers[function as usize])
    }

    fn mem_arg(&mut self, access: wasmparser::MemArg) -> Result<MemArg, Error<Infallible>> {
        Ok(MemArg { offset: access.offset, align: 0, memory_index: access.memory })
    }
}
