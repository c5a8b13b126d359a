//! What a process has used so far, from outside.

use std::io;
use std::time::Duration;

/// CPU time of a process with all its threads, ended ones too, user and system.
///
/// # Errors
/// There is no such process, or the platform cannot tell.
#[cfg(target_os = "linux")]
pub fn time(pid: u32) -> io::Result<Duration> {
    use nix::time::ClockId;
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).map_err(io::Error::other)?);
    Ok(ClockId::pid_cpu_clock_id(pid)?.now()?.into())
}

/// CPU time of a process.
///
/// # Errors
/// Always: this platform has no clock of another process.
#[cfg(not(target_os = "linux"))]
pub fn time(_pid: u32) -> io::Result<Duration> {
    Err(io::Error::other("CPU time of another process is read on Linux only"))
}

/// Resident memory of a process in bytes.
///
/// # Errors
/// There is no such process, or no `/proc`.
pub fn resident(pid: u32) -> io::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| io::Error::other(format!("/proc/{pid}/status tells no VmRSS")))
}
