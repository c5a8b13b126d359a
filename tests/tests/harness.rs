//! The harness itself: processes that end, a client that tells the truth, the simulator as a program.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use signalbox_tests::harness::{Client, Guarded, wait_for_port, wait_until_healthy};

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdout(Stdio::piped());
    command
}

/// The first line a process prints.
fn first_line(process: &mut Guarded) -> String {
    let mut line = String::new();
    BufReader::new(process.child().stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

#[test]
fn a_process_outlives_the_thread_that_started_it_but_not_its_guard() {
    let process = std::thread::spawn(|| Guarded::spawn(shell("sleep 60")).unwrap()).join().unwrap();
    let pid = i32::try_from(process.id()).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert!(support::alive(pid));
    drop(process);
    assert!(!support::alive(pid));
}

#[test]
fn what_a_process_started_ends_with_it_even_when_it_ignores_being_asked() {
    let mut process = Guarded::spawn(shell("trap '' TERM; sleep 60 & echo $!; wait")).unwrap();
    let grandchild: i32 = first_line(&mut process).parse().unwrap();
    assert!(support::alive(grandchild));
    process.kill();
    let until = Instant::now() + Duration::from_secs(5);
    // Its new parent has to wait for it first.
    while support::alive(grandchild) && support::process_state(grandchild) != "Z" {
        assert!(Instant::now() < until, "a grandchild was left behind");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn simulator(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simulator"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

#[test]
fn the_simulator_says_where_it_listens_and_ends_on_sigterm() {
    let mut process = Guarded::spawn(simulator(&["--port", "0"])).unwrap();
    let line = first_line(&mut process);
    let port = line.strip_prefix("listening on http://127.0.0.1:").unwrap_or_else(|| panic!("{line}"));
    wait_for_port(port.parse().unwrap(), Duration::from_secs(5)).unwrap();
    assert!(Command::new("kill").arg(process.id().to_string()).status().unwrap().success());
    assert!(process.child().wait().unwrap().success());
}

#[test]
fn the_simulator_ends_with_its_parent_only_when_told_to() {
    let mut with = Guarded::spawn(simulator(&["--with-parent"])).unwrap();
    let mut without = Guarded::spawn(simulator(&[])).unwrap();
    first_line(&mut with);
    first_line(&mut without);
    drop(with.child().stdin.take());
    drop(without.child().stdin.take());
    assert!(with.child().wait().unwrap().success());
    assert!(without.child().try_wait().unwrap().is_none());
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_is_replaced() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            assert!(stream.read(&mut request).unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
        }
    });
    let client = Client::new(&url).unwrap();
    for _ in 0..2 {
        assert_eq!(client.get("/").send().await.unwrap().text().await.unwrap(), "ok");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.join().unwrap();
}

#[tokio::test]
async fn a_body_that_is_cut_is_an_error_and_what_came_before_is_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        assert!(stream.read(&mut request).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n").unwrap();
    });
    let mut reply = Client::new(&url).unwrap().get("/").send().await.unwrap();
    let (chunks, error) = reply.chunks().await;
    assert_eq!(chunks[0].bytes, "abc");
    assert!(error.is_some());
    server.join().unwrap();
}

#[tokio::test]
async fn waiting_for_health_gives_up_and_says_what_it_saw() {
    let port = signalbox_tests::harness::free_port().unwrap();
    let url = format!("http://127.0.0.1:{port}");
    let error = wait_until_healthy(&url, Duration::from_millis(100)).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert!(error.to_string().contains("/health"), "{error}");
}
