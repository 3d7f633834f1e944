//! What an executable needs to run in an empty image: Linux, a known machine, no dynamic loader.

/// A machine programs are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Machine {
    X86_64,
    Aarch64,
}

impl Machine {
    /// Its name in images and engines (Go's).
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }
}

/// Why a program cannot run in an empty image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("is not a Linux program")]
    NotElf,
    #[error("is for a machine that is neither x86-64 nor aarch64")]
    OtherMachine,
    #[error("is not statically linked: it needs a dynamic loader, and the image has none")]
    Dynamic,
}

const PT_INTERP: u32 = 3;

/// The machine of a static 64-bit little-endian ELF program.
pub(crate) fn inspect(program: &[u8]) -> Result<Machine, Unusable> {
    if program.get(..6) != Some(b"\x7fELF\x02\x01") {
        return Err(Unusable::NotElf);
    }
    let machine = match number(program, 18, 2).ok_or(Unusable::NotElf)? {
        62 => Machine::X86_64,
        183 => Machine::Aarch64,
        _ => return Err(Unusable::OtherMachine),
    };
    let table = number(program, 32, 8).ok_or(Unusable::NotElf)?;
    let size = number(program, 54, 2).ok_or(Unusable::NotElf)?;
    let count = number(program, 56, 2).ok_or(Unusable::NotElf)?;
    for index in 0..count {
        let at = usize::try_from(table.saturating_add(index * size)).map_err(|_| Unusable::NotElf)?;
        let kind = number(program, at, 4).ok_or(Unusable::NotElf)?;
        if kind == u64::from(PT_INTERP) {
            return Err(Unusable::Dynamic);
        }
    }
    Ok(machine)
}

fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(size)?)?;
    Some(field.iter().rev().fold(0, |value, byte| (value << 8) | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header and one program header of that kind.
    fn elf(machine: u8, kind: u8) -> Vec<u8> {
        let mut file = vec![0; 64 + 56];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[18] = machine;
        file[32] = 64;
        file[54] = 56;
        file[56] = 1;
        file[64] = kind;
        file
    }

    #[test]
    fn only_static_programs_of_known_machines_will_do() {
        assert_eq!(inspect(&elf(62, 1)), Ok(Machine::X86_64));
        assert_eq!(inspect(&elf(183, 2)), Ok(Machine::Aarch64), "static and position independent");
        assert_eq!(inspect(&elf(62, 3)), Err(Unusable::Dynamic));
        assert_eq!(inspect(&elf(40, 1)), Err(Unusable::OtherMachine));
        assert_eq!(inspect(b"#!/bin/sh"), Err(Unusable::NotElf));
        assert_eq!(inspect(&elf(62, 1)[..70]), Ok(Machine::X86_64));
        assert_eq!(inspect(&elf(62, 1)[..66]), Err(Unusable::NotElf), "cut off");
    }
}
