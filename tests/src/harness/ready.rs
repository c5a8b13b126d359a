//! Ports, and waiting for them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::client::Client;

/// A port that was free a moment ago, for programs that cannot take port 0 themselves.
///
/// # Errors
/// No port is left.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Waits until something listens on a loopback port.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`].
pub fn wait_for_port(port: u16, within: Duration) -> io::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let until = Instant::now() + within;
    while TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
        if Instant::now() >= until {
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("nothing listens on {address}")));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Waits until `GET {url}/health` answers 200.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`], with what was last answered.
pub async fn wait_until_healthy(url: &str, within: Duration) -> io::Result<()> {
    let client = Client::new(url)?;
    let until = Instant::now() + within;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let last = match tokio::time::timeout(left, client.get("/health").send()).await {
            Ok(Ok(reply)) if reply.status == 200 => return Ok(()),
            Ok(Ok(reply)) => format!("status {}", reply.status),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        if Instant::now() >= until {
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("{url}/health: {last}")));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
