//! The code of a component, counted before it is compiled.
//!
//! Most functions take a compiler time and memory by their size. It must also know where each local variable has which
//! value, wherever branches meet: a function of 250 kB with thousands of both can take gigabytes. What no toolchain makes is
//! refused at once; the largest figures of CPython and SpiderMonkey, built as components, stand beside the bounds. What is
//! within them may still be made to be hard to compile. That is up to the bounds of
//! [`CompilerProcess`](crate::compiler::CompilerProcess).

use wasmparser::{FunctionBody, Operator, Parser, Payload, Result};

use super::error::LoadError;

/// What of each may be, at the most.
const MOST: Code = Code {
    functions: 500_000, // 20,000
    locals: 10_000_000, // 113,000
    largest: Function {
        bytes: 4 << 20,    // 427,000
        locals: 20_000,    // 483
        branches: 250_000, // 16,200
        joins: 4_000_000,  // 435,000
    },
    joins: 200_000_000, // 7,700,000
};

/// What a component has of code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Code {
    functions: u64,
    locals: u64,
    joins: u64,
    /// The largest figure of any function, each for itself.
    largest: Function,
}

/// What a function has of code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Function {
    bytes: u64,
    /// Local variables, without its parameters.
    locals: u64,
    /// Blocks, and branches to them; each entry of a table is one.
    branches: u64,
    /// Local variables times branches.
    joins: u64,
}

impl Code {
    /// Counts what is in the component `wasm`.
    ///
    /// # Errors
    /// If a part of it cannot be read. A compiler would begin with the others, which nobody has counted.
    pub(crate) fn of(wasm: &[u8]) -> std::result::Result<Self, LoadError> {
        let mut code = Self::default();
        for payload in Parser::new(0).parse_all(wasm) {
            let function = match payload {
                Ok(Payload::CodeSectionEntry(body)) => Function::of(&body),
                Ok(_) => continue,
                Err(error) => Err(error),
            };
            code.add(function.map_err(|error| LoadError::Compile(error.to_string()))?);
        }
        Ok(code)
    }

    /// Refuses a component with more than [`MOST`].
    ///
    /// # Errors
    /// What it has too much of.
    pub(crate) fn check(self) -> std::result::Result<(), LoadError> {
        let (largest, most) = (self.largest, MOST.largest);
        let bounds = [
            ("functions", self.functions, MOST.functions),
            ("local variables", self.locals, MOST.locals),
            ("bytes of code in one function", largest.bytes, most.bytes),
            (
                "local variables in one function",
                largest.locals,
                most.locals,
            ),
            ("branches in one function", largest.branches, most.branches),
            (
                "local variables times branches in one function",
                largest.joins,
                most.joins,
            ),
            ("local variables times branches", self.joins, MOST.joins),
        ];
        match bounds.into_iter().find(|(_, count, limit)| count > limit) {
            Some((what, count, limit)) => Err(LoadError::Code { what, count, limit }),
            None => Ok(()),
        }
    }

    fn add(&mut self, function: Function) {
        self.functions += 1;
        self.locals = self.locals.saturating_add(function.locals);
        self.joins = self.joins.saturating_add(function.joins);
        let largest = &mut self.largest;
        largest.bytes = largest.bytes.max(function.bytes);
        largest.locals = largest.locals.max(function.locals);
        largest.branches = largest.branches.max(function.branches);
        largest.joins = largest.joins.max(function.joins);
    }
}

impl Function {
    fn of(body: &FunctionBody<'_>) -> Result<Self> {
        let range = body.range();
        let mut function = Self {
            bytes: (range.end - range.start) as u64,
            ..Self::default()
        };
        for locals in body.get_locals_reader()? {
            let (count, _) = locals?;
            function.locals += u64::from(count);
        }
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            function.branches += branches(&operators.read()?);
        }
        function.joins = function.locals.saturating_mul(function.branches);
        Ok(function)
    }
}

fn branches(operator: &Operator<'_>) -> u64 {
    match operator {
        Operator::Block { .. }
        | Operator::Loop { .. }
        | Operator::If { .. }
        | Operator::Else
        | Operator::Br { .. }
        | Operator::BrIf { .. } => 1,
        Operator::BrTable { targets } => u64::from(targets.len()) + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component with one function of so many local variables, and blocks that are left in the middle.
    fn code(locals: usize, blocks: usize) -> Code {
        let text = format!(
            "(component (core module (func (local {}) {})))",
            "i64 ".repeat(locals),
            "(block (br_if 0 (i32.const 1)))".repeat(blocks)
        );
        Code::of(&wat::parse_str(text).expect("it is a component")).expect("it can be read")
    }

    #[test]
    fn locals_and_branches_are_counted_of_each_function() {
        let code = code(30, 10);
        assert_eq!((code.functions, code.locals, code.joins), (1, 30, 600));
        assert_eq!((code.largest.locals, code.largest.branches), (30, 20));
        assert!(code.largest.bytes > 50 && code.check().is_ok());
    }

    #[test]
    fn each_entry_of_a_table_is_a_branch() {
        let text = "(component (core module (func (block (br_table 0 0 0 (i32.const 1))))))";
        let code = Code::of(&wat::parse_str(text).unwrap()).unwrap();
        assert_eq!(code.largest.branches, 4);
    }

    #[test]
    fn many_locals_or_many_branches_will_do_but_not_both() {
        assert!(code(3000, 10).check().is_ok() && code(10, 10_000).check().is_ok());
        let line = code(3000, 1000).check().unwrap_err().to_string();
        assert!(
            line.contains(
                "6000000 local variables times branches in one function, more than the 4000000"
            ),
            "{line}"
        );
    }

    #[test]
    fn each_bound_is_a_reason_to_refuse() {
        let over: [fn(&mut Code); 7] = [
            |code| code.functions += 1,
            |code| code.locals += 1,
            |code| code.joins += 1,
            |code| code.largest.bytes += 1,
            |code| code.largest.locals += 1,
            |code| code.largest.branches += 1,
            |code| code.largest.joins += 1,
        ];
        assert!(MOST.check().is_ok());
        for over in over {
            let mut code = MOST;
            over(&mut code);
            assert!(code.check().is_err(), "{code:?}");
        }
    }

    #[test]
    fn what_cannot_be_counted_is_refused() {
        let text =
            "(component (core module (func (i32.const 7) (drop)) (func (local i64 i64 i64))))";
        let mut wasm = wat::parse_str(text).unwrap();
        let at = wasm
            .windows(2)
            .position(|bytes| bytes == [0x41, 7])
            .unwrap();
        assert_eq!(Code::of(&wasm).unwrap().locals, 3);
        wasm[at] = 0xff;
        for wasm in [&wasm[..], b"\0asm", b"\0asm\x0d\0\x01\0\xff\xff", b"text"] {
            assert!(
                matches!(Code::of(wasm), Err(LoadError::Compile(_))),
                "{wasm:?}"
            );
        }
    }
}
