//! Child processes that are never left behind.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How long a process may take to end on SIGTERM before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// A child in a process group of its own. Dropping it ends the whole group, by id: SIGTERM, and after five seconds SIGKILL.
/// Should this process end without that, killed or with a child in a static, the kernel tells the child to end, and that one its own.
#[derive(Debug)]
pub struct Guarded {
    child: Child,
    group: Pid,
}

impl Guarded {
    /// Starts a command.
    ///
    /// # Errors
    /// As [`Command::spawn`].
    pub fn spawn(mut command: Command) -> io::Result<Guarded> {
        ends_with_parent(&mut command);
        let child = spawn_from_lasting_thread(command)?;
        let group = i32::try_from(child.id()).map(Pid::from_raw).map_err(io::Error::other)?;
        Ok(Guarded { child, group })
    }

    /// The child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// The process id, which is also the group's.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills the group at once, as a crash would.
    pub fn kill(&mut self) {
        // Fails only when nothing is left of the group.
        let _ = killpg(self.group, Signal::SIGKILL);
        let _ = self.child.wait();
    }

    /// Ends the group and waits.
    pub fn stop(&mut self) {
        let _ = killpg(self.group, Signal::SIGTERM);
        let until = Instant::now() + GRACE;
        while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.kill();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Puts the command's process into a group of its own and has the kernel end it when the thread that starts it ends: with SIGTERM,
/// on which Node ends the runtime it has started. That one would outlive it otherwise.
pub fn ends_with_parent(command: &mut Command) {
    command.process_group(0);
    #[cfg(target_os = "linux")]
    {
        let parent = nix::unistd::getpid();
        let tie = move || {
            nix::sys::prctl::set_pdeathsig(Signal::SIGTERM)?;
            // The parent may have ended before the line above.
            if nix::unistd::getppid() == parent {
                Ok(())
            } else {
                Err(io::Error::other("the parent process has ended"))
            }
        };
        // SAFETY: between fork and exec only prctl and getppid are called, both async-signal-safe, and nothing is allocated
        // on the way that succeeds.
        #[allow(unsafe_code)]
        unsafe {
            command.pre_exec(tie);
        }
    }
}

type Wanted = (Command, mpsc::Sender<io::Result<Child>>);

/// The kernel's "parent" is the thread that forked: a child started on a test's own thread would die with that test. So
/// all are started by one thread that lives as long as the process.
fn spawn_from_lasting_thread(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<mpsc::Sender<Wanted>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (wanted, orders) = mpsc::channel::<Wanted>();
        std::thread::spawn(move || {
            for (mut command, answer) in orders {
                // The asker waits for it; were it gone, the child would be killed by its guard's absence all the same.
                let _ = answer.send(command.spawn());
            }
        });
        wanted
    });
    let gone = || io::Error::other("the thread that starts processes has ended");
    let (answer, answered) = mpsc::channel();
    spawner.send((command, answer)).map_err(|_| gone())?;
    answered.recv().map_err(|_| gone())?
}
