//! How large the Worker's bundle is, and the gate that keeps it small.

use anyhow::{Context, Result, ensure};
use flate2::{Compression, write::GzEncoder};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// What the bundle may weigh, compressed: far below the platform's 3 MB on the free plan. It is to be a million bytes; until it is, this
/// only ever goes down.
pub const GZIP_LIMIT: usize = 1_040_000;

/// Bytes of one file or of the whole bundle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// As it lies on disk.
    pub raw: usize,
    /// As the platform counts it.
    pub gzip: usize,
}

/// Compresses as the platform does, at the highest level.
pub fn measure(bytes: &[u8]) -> Result<Size> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes)?;
    Ok(Size { raw: bytes.len(), gzip: gzip.finish()?.len() })
}

/// Prints the size of every module below `build` and returns the sum.
pub fn report(build: &Path) -> Result<Size> {
    let mut total = Size::default();
    for module in modules(build)? {
        let size = measure(&fs::read(&module)?)?;
        print(&module.strip_prefix(build)?.to_string_lossy(), size);
        total = Size { raw: total.raw + size.raw, gzip: total.gzip + size.gzip };
    }
    print("total", total);
    Ok(total)
}

fn print(name: &str, size: Size) {
    println!("{name:<50}{:>10} bytes{:>10} gzip", size.raw, size.gzip);
}

/// Every file below `folder` in a fixed order, but for the build's own hidden ones.
fn modules(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{}: build the Worker first", folder.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(modules(&entry.path())?);
        } else if !entry.file_name().to_string_lossy().starts_with('.') {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Refuses a bundle over [`GZIP_LIMIT`].
pub fn gate(total: Size) -> Result<()> {
    ensure!(total.gzip <= GZIP_LIMIT, "the Worker weighs {} bytes gzip, the limit is {GZIP_LIMIT}", total.gzip);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_opens_at_the_limit_and_closes_one_byte_over_it() {
        assert!(gate(Size { raw: 0, gzip: GZIP_LIMIT }).is_ok());
        assert!(gate(Size { raw: 0, gzip: GZIP_LIMIT + 1 }).is_err());
    }

    #[test]
    fn what_repeats_weighs_little_when_compressed() {
        let size = measure(&[7; 100_000]).unwrap();
        assert_eq!(size.raw, 100_000);
        assert!(size.gzip < 1_000);
    }
}
