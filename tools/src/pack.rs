//! Makes a WebAssembly module smaller to send, without changing what it does.
//!
//! Exports that nobody asks for are left out, and the functions that nothing reaches then. Of functions that are alike to the byte one is kept. What the format leaves open is written the same way everywhere (`body`), and the functions stand in the
//! order in which compression finds most of what it has seen (`order`), behind the few that are called everywhere. Names are left out.

// Every index is one the module itself has; were it wrong, stopping the build is right. Payloads are the format's, not ours.
#![allow(clippy::indexing_slicing, clippy::wildcard_enum_match_arm)]

mod body;
mod order;

use anyhow::{Context, Result, anyhow, bail};
use body::Bodies;
use std::{cmp::Reverse, collections::HashMap, convert::Infallible};
use wasm_encoder::{
    CodeSection, ExportSection, Function, FunctionSection, Module,
    reencode::{Error, Reencode, utils},
};
use wasmparser::{
    BinaryReader, CodeSectionReader, CustomSectionReader, ElementItems, ExportSectionReader, ExternalKind,
    FunctionBody, FunctionSectionReader, KnownCustom, Name, Operator, Parser, Payload, TypeRef,
};

/// How many functions stand first, out of the order of likeness: those that are called most, while one byte holds their numbers or nearly so.
/// Less than that is larger, and more is, too.
const POPULAR: usize = 64;

/// The same module with the exports that are `wanted`, its functions merged and put in order.
pub fn pack(module: &[u8], wanted: &dyn Fn(&str) -> bool) -> Result<Vec<u8>> {
    let functions = Functions::read(module, wanted)?;
    let kept = functions.merge()?;
    let order = functions.order(&kept)?;
    let mut places = vec![0; kept.len()];
    for (place, index) in (functions.imported..).zip(&order) {
        places[*index as usize] = place;
    }
    let renumbered = kept
        .iter()
        .enumerate()
        .map(|(index, kept)| if index < functions.imported as usize { index as u32 } else { places[*kept as usize] });
    let numbers: Vec<u32> = renumbered.collect();
    let mut bodies = Vec::with_capacity(order.len());
    for index in &order {
        bodies.push(functions.write(*index, &numbers)?);
    }
    let types = order.iter().map(|index| functions.types[(index - functions.imported) as usize]).collect();
    let mut writer = Writer { wanted, numbers, types, bodies };
    let mut packed = Module::new();
    writer.parse_core_module(&mut packed, Parser::new(0), module).map_err(|error| anyhow!("{error}"))?;
    Ok(packed.finish())
}

/// A module's functions. Their indices count the imported ones first.
struct Functions<'m> {
    imported: u32,
    /// How many parameters every type of function has.
    parameters: Vec<u32>,
    types: Vec<u32>,
    bodies: Vec<FunctionBody<'m>>,
    names: HashMap<u32, &'m str>,
    /// Those that are called from outside, or by their place in a table.
    roots: Vec<u32>,
}

impl<'m> Functions<'m> {
    fn read(module: &'m [u8], wanted: &dyn Fn(&str) -> bool) -> Result<Functions<'m>> {
        let mut found = Functions {
            imported: 0,
            parameters: Vec::new(),
            types: Vec::new(),
            bodies: Vec::new(),
            names: HashMap::new(),
            roots: Vec::new(),
        };
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => {
                    for ty in section.into_iter_err_on_gc_types() {
                        found.parameters.push(ty?.params().len() as u32);
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        found.imported += u32::from(matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                    }
                }
                Payload::FunctionSection(section) => found.types = section.into_iter().collect::<Result<_, _>>()?,
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        let is_root = export.kind == ExternalKind::Func && wanted(export.name);
                        found.roots.extend(is_root.then_some(export.index));
                    }
                }
                Payload::StartSection { func, .. } => found.roots.push(func),
                Payload::ElementSection(section) => {
                    for element in section {
                        let ElementItems::Functions(functions) = element?.items else {
                            bail!("a table of something else than functions");
                        };
                        for function in functions {
                            found.roots.push(function?);
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => found.bodies.push(body),
                Payload::CustomSection(section) => found.name(&section)?,
                _ => {}
            }
        }
        Ok(found)
    }

    fn name(&mut self, section: &CustomSectionReader<'m>) -> Result<()> {
        let KnownCustom::Name(names) = section.as_known() else { return Ok(()) };
        for subsection in names {
            let Name::Function(functions) = subsection? else { continue };
            for naming in functions {
                let naming = naming?;
                self.names.insert(naming.index, naming.name);
            }
        }
        Ok(())
    }

    /// For every function the one that is kept in its place. Merging two makes their callers alike, so it is repeated.
    fn merge(&self) -> Result<Vec<u32>> {
        let mut kept: Vec<u32> = (0..self.imported + self.bodies.len() as u32).collect();
        loop {
            let before = kept.clone();
            let mut seen = HashMap::new();
            for (index, ty) in (self.imported..).zip(&self.types) {
                if before[index as usize] == index {
                    let body = self.write(index, &before)?.into_raw_body();
                    kept[index as usize] = *seen.entry((*ty, body)).or_insert(index);
                }
            }
            for index in 0..kept.len() {
                kept[index] = kept[kept[index] as usize];
            }
            if kept == before {
                return Ok(kept);
            }
        }
    }

    /// The functions that are kept, in the order to write them. Where they are equally alike, those of one origin stand together: a mangled name
    /// ends in a hash that says nothing.
    fn order(&self, kept: &[u32]) -> Result<Vec<u32>> {
        let origin = |index: &u32| {
            let name = self.names.get(index).copied().unwrap_or_default();
            name.rsplit_once("17h").map_or(name, |(path, _)| path)
        };
        let size = |index: &u32| self.body(*index).map_or(0, |body| body.range().len());
        let calls = self.calls(kept)?;
        let mut named: Vec<u32> = (self.imported..kept.len() as u32).filter(|at| calls[*at as usize] > 0).collect();
        named.sort_by_key(|index| (origin(index), size(index), *index));
        // As they will be written, but for the numbers of the functions they call, which are not known yet.
        let written = named.iter().map(|index| Ok(self.write(*index, kept)?.into_raw_body()));
        let written = written.collect::<Result<Vec<_>>>()?;
        let bodies: Vec<_> = written.iter().map(|body| FunctionBody::new(BinaryReader::new(body, 0))).collect();
        let alike = order::by_likeness(&bodies)?.into_iter().map(|place| named[place]);
        let mut popular = named.clone();
        popular.sort_by_key(|index| Reverse(calls[*index as usize]));
        popular.truncate(POPULAR);
        Ok(popular.iter().copied().chain(alike.filter(|index| !popular.contains(index))).collect())
    }

    /// How often each function is called from those that can be reached; a call from outside counts as one.
    fn calls(&self, kept: &[u32]) -> Result<Vec<u32>> {
        let mut calls = vec![0_u32; kept.len()];
        let mut next: Vec<u32> = self.roots.iter().map(|root| kept[*root as usize]).collect();
        while let Some(index) = next.pop() {
            calls[index as usize] += 1;
            // An imported one has no body; one that was met has been read.
            let Some(body) = self.body(index).filter(|_| calls[index as usize] == 1) else { continue };
            let mut instructions = body.get_operators_reader()?;
            while !instructions.eof() {
                if let Operator::Call { function_index } | Operator::RefFunc { function_index } = instructions.read()? {
                    next.push(kept[function_index as usize]);
                }
            }
        }
        Ok(calls)
    }

    fn body(&self, index: u32) -> Option<&FunctionBody<'m>> {
        self.bodies.get(index.checked_sub(self.imported)? as usize)
    }

    /// The body of one that is not imported, with `numbers` for the functions it calls.
    fn write(&self, index: u32, numbers: &[u32]) -> Result<Function> {
        let body = self.body(index).context("an imported function has no body")?;
        let ty = self.types[(index - self.imported) as usize];
        Bodies { numbers }.write(body, self.parameters[ty as usize])
    }
}

/// Writes the module anew, with other functions.
struct Writer<'w> {
    wanted: &'w dyn Fn(&str) -> bool,
    numbers: Vec<u32>,
    types: Vec<u32>,
    bodies: Vec<Function>,
}

impl Reencode for Writer<'_> {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.numbers[function as usize])
    }

    fn parse_function_section(
        &mut self,
        section: &mut FunctionSection,
        _: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for ty in &self.types {
            section.function(*ty);
        }
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: ExportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for export in section {
            let export = export?;
            if (self.wanted)(export.name) {
                self.parse_export(exports, export)?;
            }
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        section: &mut CodeSection,
        _: CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for body in &self.bodies {
            section.function(body);
        }
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        match section.as_known() {
            KnownCustom::Name(_) => Ok(()),
            _ => utils::parse_custom_section(self, module, section),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use wasm_encoder::{ExportKind, Instruction, MemArg, NameMap, NameSection, TypeSection, ValType};

    /// `one` and `same` are alike; so are their callers, once those call the same one. `other` is not.
    fn module() -> Vec<u8> {
        let bodies = [("z", None, 1), ("a", None, 1), ("m", Some(0), 0), ("b", Some(1), 0), ("c", None, 2)];
        let (mut types, mut functions, mut code) = (TypeSection::new(), FunctionSection::new(), CodeSection::new());
        let (mut exports, mut named) = (ExportSection::new(), NameMap::new());
        types.ty().function([], [wasm_encoder::ValType::I32]);
        for (index, (name, calls, constant)) in (0..).zip(bodies) {
            functions.function(0);
            exports.export(name, ExportKind::Func, index);
            named.append(index, name);
            let mut body = Function::new([]);
            body.instruction(&calls.map_or(Instruction::I32Const(constant), Instruction::Call));
            body.instruction(&Instruction::End);
            code.function(&body);
        }
        let mut names = NameSection::new();
        names.functions(&named);
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&exports).section(&code).section(&names);
        module.finish()
    }

    fn all(_: &str) -> bool {
        true
    }

    fn exports(module: &[u8]) -> HashMap<String, u32> {
        let mut found = HashMap::new();
        for payload in Parser::new(0).parse_all(module) {
            if let Payload::ExportSection(section) = payload.unwrap() {
                found.extend(section.into_iter().map(|export| {
                    let export = export.unwrap();
                    (export.name.to_owned(), export.index)
                }));
            }
        }
        found
    }

    #[test]
    fn functions_that_are_alike_are_one_and_everything_else_keeps_its_meaning() {
        let packed = pack(&module(), &all).unwrap();
        let (functions, exports) = (Functions::read(&packed, &all).unwrap(), exports(&packed));
        assert_eq!(functions.bodies.len(), 3, "z is a, and b, which called it, is m");
        assert_eq!((exports["z"], exports["m"]), (exports["a"], exports["b"]));
        let body = |name: &str| functions.body(exports[name]).unwrap().as_bytes();
        assert_eq!(body("a"), [0, 0x41, 1, 0x0b]);
        assert_eq!(body("c"), [0, 0x41, 2, 0x0b]);
        assert_eq!(body("m"), [0, 0x10, exports["a"] as u8, 0x0b]);
    }

    #[test]
    fn what_is_not_wanted_takes_along_what_only_it_calls() {
        let packed = pack(&module(), &|name| name != "m" && name != "b").unwrap();
        assert_eq!(Functions::read(&packed, &all).unwrap().bodies.len(), 2);
        assert_eq!(exports(&packed).len(), 3);
    }

    #[test]
    fn what_the_format_leaves_open_is_written_the_same_way() {
        let mut body = Function::new([(2, ValType::I32), (1, ValType::I64), (1, ValType::I32)]);
        let aligned = |align| MemArg { offset: 8, align, memory_index: 0 };
        for instruction in [
            Instruction::LocalGet(0),
            Instruction::I64Load(aligned(3)),
            Instruction::LocalSet(3),
            Instruction::LocalGet(4),
            Instruction::LocalGet(4),
            Instruction::LocalGet(2),
            Instruction::End,
        ] {
            body.instruction(&instruction);
        }
        let body = body.into_raw_body();
        let body = FunctionBody::new(BinaryReader::new(&body, 0));
        let written = Bodies { numbers: &[] }.write(&body, 1).unwrap().into_raw_body();
        // Two of i32, then one of i64: the last is used most, the second never.
        let expected = [2, 2, 0x7f, 1, 0x7e, 0x20, 0, 0x29, 0, 8, 0x21, 3, 0x20, 1, 0x20, 1, 0x20, 2, 0x0b];
        assert_eq!(written, expected);
    }

    #[test]
    fn what_is_called_most_stands_first_and_names_are_left_out() {
        let packed = pack(&module(), &all).unwrap();
        let exports = exports(&packed);
        assert!(exports["z"] < exports["m"] && exports["m"] < exports["c"], "{exports:?}");
        assert!(Functions::read(&packed, &all).unwrap().names.is_empty());
    }

    #[test]
    fn packing_twice_changes_nothing_more_and_what_is_no_module_is_refused() {
        let packed = pack(&module(), &all).unwrap();
        let again = pack(&packed, &all).unwrap();
        assert_eq!(Functions::read(&again, &all).unwrap().bodies.len(), 3);
        assert!(pack(b"\0asm", &all).is_err());
    }
}
